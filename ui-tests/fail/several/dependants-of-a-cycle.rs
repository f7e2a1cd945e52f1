// The cycle is one mistake; that its members have no order says nothing about their shapes, and `y`
// is no part of it.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];

        a = tanh(W @ x + h);
        h = sigmoid(U @ a) * h[t-1];
        y = square(h) + a;

        output y;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
