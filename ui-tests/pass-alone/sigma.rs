// `σ` is an alias of `sigmoid`. The user allows rustc's lint against mixed scripts.

#![deny(warnings)]
#![allow(mixed_script_confusables, uncommon_codepoints)]

use nalgebra::vector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Greek<H> {
        input x: [H];
        param β: [] = 2;

        δ = σ(β * x) - sigmoid(β * x);

        output δ;
    }
}

fn main() {
    let cell = Greek::<2>::zeros();
    assert_eq!(cell.step(&vector![1.0, 2.0], &mut cell.zero_state()), vector![0.0, 0.0]);
}
