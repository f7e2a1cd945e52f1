// Inputs and states share one namespace.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<H> {
        input h: [H];
        state h: [H];
        param U: [H, H];

        h = tanh(U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
