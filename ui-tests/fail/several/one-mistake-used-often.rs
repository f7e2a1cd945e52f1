// `w` is used three times and missing once: each place is shown, since each must be changed.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];

        i = sigmoid(w @ x);
        f = sigmoid(w @ x + 1);
        h = f * tanh(W @ x + U @ h[t-1]) + i * (w @ x);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
