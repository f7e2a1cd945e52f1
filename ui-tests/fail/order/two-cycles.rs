// Two mistakes of one kind: both cycles are shown, each once.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h, c: [H];
        param W: [H, I];

        h = tanh(W @ x + h);
        c = sigmoid(W @ x) * c;

        output h, c;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y.h[0] + y.c[0]);
}
