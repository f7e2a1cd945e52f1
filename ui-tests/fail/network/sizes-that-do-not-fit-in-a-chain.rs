// The second of three layers fits the first, the third does not fit the second.

use rnn_cell::cells::{Dense, Gru, Lstm};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Stack::new(Lstm::<3, 8>::init(&mut rng), Gru::<8, 4>::init(&mut rng))
        .then(Dense::<8, 2>::init(&mut rng));
    let xs = vec![SVector::<f32, 3>::zeros(); 5];
    let (mut state, mut tape) = (net.initial_state(), net.tape());
    let ys = net.forward(&xs, &mut state, &mut tape);
    println!("{}", ys.len());
}
