// `Wx` is declared nowhere; `W_x` is.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W_x: [H, I], W_h: [H, H];

        i = Wx @ x + W_h @ h[t-1];
        h = tanh(i) + W_x @ x;

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
