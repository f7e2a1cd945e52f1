// The outputs of the two branches have 8 and 7 values, so they have no sum.

use rnn_cell::cells::{Dense, Gru};
use rnn_cell::network::{Parallel, Sum};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Parallel::new(Gru::<3, 8>::init(&mut rng), Dense::<3, 7>::init(&mut rng), Sum);
    let mut state = net.initial_state();
    let y = net.step(&SVector::<f32, 3>::zeros(), &mut state);
    println!("{y}");
}
