// All fields are settings.

use rnn_cell::prelude::*;

#[derive(Model)]
struct Settings {
    #[model(skip)]
    rate: f64,
}

#[derive(Model)]
struct Nothing;

fn main() {}
