// `loop` is reserved by Rust and could not be a variable of the generated code.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];

        loop = W @ x + U @ h[t-1];
        h = tanh(loop);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
