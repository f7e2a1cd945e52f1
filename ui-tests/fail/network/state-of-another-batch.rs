// The state is of 2 samples, the sequence of 4.

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Stack::new(Lstm::<3, 8>::init(&mut rng), Dense::<8, 2>::init(&mut rng));
    let xs = vec![SMatrix::<f32, 3, 4>::zeros(); 5];
    let mut state = net.initial_state::<2>();
    let ys = net.run(&xs, &mut state);
    println!("{}", ys.len());
}
