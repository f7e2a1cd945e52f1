// The reverse direction starts at the end of the sequence, so there is no first step.

use rnn_cell::cells::Gru;
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Bidirectional::new(Gru::<3, 8>::init(&mut rng), Gru::<3, 8>::init(&mut rng)).joined(Concat::<16>);
    let mut state = net.initial_state();
    let y = net.step(&SVector::<f32, 3>::zeros(), &mut state);
    println!("{y}");
}
