// Nothing says how many samples the batches have.

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Stack::new(Lstm::<3, 8>::init(&mut rng), Dense::<8, 2>::init(&mut rng));
    let tape = net.tape();
    drop(tape);
}
