// Only the sum in `z` is wrong; what is made of `z` has no shape to be wrong about.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H], p: [I];

        z = W @ x + x;
        y = z * p + U @ z;
        h = tanh(y.T @ y) * h[t-1];

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
