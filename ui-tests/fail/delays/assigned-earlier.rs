// An equation gives the value of the current step.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, H, D> {
        input x: [I];
        state h: [H];
        param W: [H, I], b: [H, D];

        h[t-2] = tanh(W @ x) + h[t-1] + row_sum(b);

        output h;
    }
}

fn main() {
    let cell = Filter::<3, 4, 2>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
