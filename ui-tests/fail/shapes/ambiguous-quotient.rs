// `R @ h[t-1] / n` divides either the product or its right operand, and `n` is a vector.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], R: [H, H];

        n = 1 + abs(W @ x);
        h = tanh(R @ h[t-1] / n);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
