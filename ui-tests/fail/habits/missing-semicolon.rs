// A line's end is no end of an equation.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state c: [H];
        param W_i, W_f: [H, I];

        i = sigmoid(W_i @ x)
        f = sigmoid(W_f @ x);
        c = f * c[t-1] + i;

        output c;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
