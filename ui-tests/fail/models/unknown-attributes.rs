// Attributes that do not exist.

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;

#[derive(Model)]
#[model(rename_all = "camelCase")]
struct Tagger {
    lstm: Lstm<3, 8>,
    #[model(skipped)]
    rate: f64,
    #[model]
    readout: Dense<8, 2>,
    #[model(skip = true)]
    names: Vec<String>,
}

fn count(model: &Tagger) -> usize {
    model.parameter_count()
}

fn main() {}
