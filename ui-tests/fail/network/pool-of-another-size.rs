// The pool reads 7 values, but the cell returns 8.

use rnn_cell::cells::{Dense, Gru, MeanPool};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Gru::<3, 8>::init(&mut rng).then(MeanPool::<7>::zeros()).then(Dense::<7, 2>::init(&mut rng));
    println!("{}", net.parameter_count());
}
