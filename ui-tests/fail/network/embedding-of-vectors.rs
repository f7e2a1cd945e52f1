// An embedding reads indices, not the outputs of a cell.

use rnn_cell::cells::{Embedding, Gru};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Gru::<3, 8>::init(&mut rng).then(Embedding::<8, 4>::init(&mut rng));
    println!("{}", net.parameter_count());
}
