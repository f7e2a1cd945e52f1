// A negative delay is a later step.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, H, D> {
        input x: [I];
        param W: [H, I], b: [H, D];

        y = tanh(W @ x + W @ x[t-(-2)]) + row_sum(b);

        output y;
    }
}

fn main() {
    let cell = Filter::<3, 4, 2>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
