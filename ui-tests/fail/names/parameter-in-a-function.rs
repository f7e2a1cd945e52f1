// A function sees its arguments, numbers and dimensions, not the cell's parameters.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H], slope: [];

        fn leaky(u) = max(u, slope * u);

        h = leaky(W @ x + U @ h[t-1]) * slope;

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
