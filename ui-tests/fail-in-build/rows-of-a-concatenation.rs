// Two outputs of 8 values make 16 rows.

use rnn_cell::cells::Gru;
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Bidirectional::new(Gru::<3, 8>::init(&mut rng), Gru::<3, 8>::init(&mut rng)).joined(Concat::<17>);
    println!("{}", net.parameter_count());
}
