// `b` is a parameter, and has no earlier values.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, D> {
        input x: [I];
        param b: [I];

        y = x + b[t-D];

        output y;
    }
}

fn main() {
    let cell = Filter::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
