// Two views of one memory.

use rnn_cell::prelude::*;

#[derive(Model)]
union Either {
    first: Copied,
    second: Copied,
}

#[derive(Clone, Copy)]
struct Copied;

fn main() {}
