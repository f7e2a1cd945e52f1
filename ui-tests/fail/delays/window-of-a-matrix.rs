// A window has one column for each step.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, H, D> {
        input x: [I];
        param W: [H, I], k: [D];

        M = (W @ x) @ k.T;
        y = row_sum(window(M, 3));

        output y;
    }
}

fn main() {
    let cell = Filter::<3, 4, 2>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
