// A state starts the same for every sequence; chance belongs to parameters and buffers.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H] = normal(0.1);
        param W: [H, I], U: [H, H];

        h = tanh(W @ x + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
