// The gates read the state of the step before; `h` without index is the value that is being
// computed.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W, W_z: [H, I], U, U_z: [H, H];

        z = sigmoid(W_z @ x + U_z @ h);
        h = z * h[t-1] + (1 - z) * tanh(W @ x + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
