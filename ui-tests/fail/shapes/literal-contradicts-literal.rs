// The matrix has 3 columns, the input 2 rows.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<H> {
        input x: [2];
        state h: [H];
        param W: [H, 3], U: [H, H];

        h = tanh(W @ x + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
