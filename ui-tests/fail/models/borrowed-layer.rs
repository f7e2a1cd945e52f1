// The context is bound in the model, which therefore borrows it.

use rnn_cell::cell::With;
use rnn_cell::cells::{Dense, DotAttention, DotAttentionContext, Lstm};
use rnn_cell::prelude::*;

#[derive(Model)]
struct Translator<'a> {
    encoder: Lstm<3, 6>,
    decoder: With<'a, DotAttention<4, 6>, DotAttentionContext<4, 6>>,
    readout: &'a Dense<6, 2>,
}

fn count(model: &Translator<'_>) -> usize {
    model.parameter_count()
}

fn main() {}
