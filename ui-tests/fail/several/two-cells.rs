// Each of two cells has a mistake of its own; both are reported.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];

        h = tahn(W @ x + U @ h[t-1]);

        output h;
    }

    pub cell Dense<I, O> {
        input x: [I];
        param W: [O, I], b: [O];

        y = W * x + b;

        output y;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
    let dense = Dense::<4, 2>::zeros();
    println!("{}", dense.W[(0, 0)]);
}
