// `N` must divide `H`: three does not divide eight.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<H, N> {
        input x: [H];
        param W: [H, N] = 0.5;

        y = row_sum(W * blocks(x, N));

        output y;
    }
}

fn main() {
    let cell = Cell::<8, 3>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[(0, 0)]);
}
