// The first field decides the precision, but it has none.

use rnn_cell::cells::Lstm;
use rnn_cell::prelude::*;

#[derive(Model)]
struct Tagger {
    rate: f64,
    lstm: Lstm<3, 8>,
}

fn count(model: &Tagger) -> usize {
    model.parameter_count()
}

fn main() {}
