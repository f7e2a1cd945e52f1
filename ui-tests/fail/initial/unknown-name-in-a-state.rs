// `h_0` is declared nowhere; `h0` is.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H] = h_0;
        param W: [H, I], U: [H, H], h0: [H];

        h = tanh(W @ x + U @ h[t-1] + h0);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
