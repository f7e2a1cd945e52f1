// The gradients are those of the whole model, the layer is a part.

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;

#[derive(Model)]
struct Tagger {
    lstm: Lstm<3, 8>,
    readout: Dense<8, 2>,
}

fn train(model: &mut Tagger) {
    let gradients = model.zero_gradients();
    Sgd::new(0.1).step(&mut model.lstm, &gradients);
}

fn main() {}
