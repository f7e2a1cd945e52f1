// Left to right `R @ r * h` scales the product by `h`; the paper means `R @ (r * h)`. Both
// type-check, and they differ.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W, W_r: [H, I], R: [H, H];

        r = sigmoid(W_r @ x);
        h = tanh(W @ x + R @ r * h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
