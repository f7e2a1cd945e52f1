// The two branches read 3 and 4 values.

use rnn_cell::cells::{Dense, Gru};
use rnn_cell::network::{Parallel, Sum};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Parallel::new(Gru::<3, 8>::init(&mut rng), Dense::<4, 8>::init(&mut rng), Sum);
    let mut state = net.initial_state();
    let y = net.step(&SVector::<f32, 3>::zeros(), &mut state);
    println!("{y}");
}
