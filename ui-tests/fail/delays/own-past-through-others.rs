// The path leads through two equations.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, H, D> {
        input x: [I];
        param W: [H, I], b: [H, D], U: [I, H];

        y = tanh(W @ z) + row_sum(b);
        z = x + 0.5 * q;
        q = U @ y[t-D];

        output y;
    }
}

fn main() {
    let cell = Filter::<3, 4, 2>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
