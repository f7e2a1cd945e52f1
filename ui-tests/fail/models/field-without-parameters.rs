// The vocabulary is no layer, and the author forgot to say so.

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;

#[derive(Model)]
struct Tagger {
    lstm: Lstm<3, 8>,
    vocabulary: Vec<String>,
    readout: Dense<8, 2>,
}

fn count(model: &Tagger) -> usize {
    model.parameter_count()
}

fn main() {}
