// A cell that returns nothing can't be used.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];

        h = tanh(W @ x + U @ h[t-1]);
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state::<1>();
    cell.step(&SVector::zeros(), &mut state);
    println!("{}", state.h[0]);
}
