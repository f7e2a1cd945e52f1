// Before the first step there is no input.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H] = tanh(W @ x);
        param W: [H, I], U: [H, H];

        h = tanh(W @ x + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
