// The caller has the input already; outputs are states or equations.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];

        h = tanh(W @ x + U @ h[t-1]);

        output h, x;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state::<1>();
    cell.step(&SVector::zeros(), &mut state);
    println!("{}", state.h[0]);
}
