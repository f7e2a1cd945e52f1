// `D` is a dimension of the cell, and here it is zero.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Echo<I, D> {
        input x: [I];

        y = x + 0.5 * x[t-D];

        output y;
    }
}

fn main() {
    let cell = Echo::<3, 0>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
