// The equation of `z` can't be read; `z` must not be called unknown, nor `U` unused, nor `h` a
// state without equation.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h, c: [H];
        param W: [H, I], U: [H, H], V: [H, H];

        z = U @ @ x;
        h = tanh(W @ x + z);
        c = V @ + c[t-1];

        output h, c;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y.h[0] + y.c[0]);
}
