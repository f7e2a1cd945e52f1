// Either cell, chosen when the program runs.

use rnn_cell::cells::{Gru, Lstm};
use rnn_cell::prelude::*;

#[derive(Model)]
enum Recurrent {
    Lstm(Lstm<3, 8>),
    Gru(Gru<3, 8>),
}

fn count(model: &Recurrent) -> usize {
    model.parameter_count()
}

fn main() {}
