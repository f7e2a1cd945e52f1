// The cell computes in `f32`, the readout in `f64`.

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Stack::new(Lstm::<3, 8>::init(&mut rng), Dense::<8, 2, f64>::init(&mut rng));
    let mut state = net.initial_state();
    let y = net.step(&SVector::<f32, 3>::zeros(), &mut state);
    println!("{y}");
}
