// The LSTM reads 3 values, the sequence has 4.

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Stack::new(Lstm::<3, 8>::init(&mut rng), Dense::<8, 2>::init(&mut rng));
    let xs = vec![SVector::<f32, 4>::zeros(); 5];
    let ys = net.run(&xs, &mut net.initial_state());
    println!("{}", ys.len());
}
