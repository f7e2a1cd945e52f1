// Both are columns; the one is turned into a row by `.T`.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<H> {
        input x: [H];
        state h: [H];
        param U: [H, H], p: [H];

        h = tanh(U @ h[t-1]) * (p @ x);

        output h;
    }
}

fn main() {
    let cell = Elman::<4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
