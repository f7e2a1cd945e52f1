// A delay is fixed when the cell is compiled.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, H, D> {
        input x: [I], s: [];
        param W: [H, I], b: [H, D];

        y = tanh(W @ x[t-s]) + s * row_sum(b);

        output y;
    }
}

fn main() {
    let cell = Filter::<3, 4, 2>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&FilterInput { x: SVector::zeros(), s: SVector::zeros() }, &mut state);
    println!("{}", y[0]);
}
