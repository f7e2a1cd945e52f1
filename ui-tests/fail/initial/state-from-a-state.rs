// Before the first step no state has a value yet.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state c: [H], h: [H] = tanh(c);
        param W: [H, I], U: [H, H];

        c = W @ x + c[t-1];
        h = tanh(c + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
