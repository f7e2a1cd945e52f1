// The readout computes in `f64`.

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;

#[derive(Model)]
struct Tagger {
    lstm: Lstm<3, 8>,
    readout: Dense<8, 2, f64>,
}

fn count(model: &Tagger) -> usize {
    model.lstm.parameter_count()
}

fn main() {}
