// A function works entry by entry.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, H, D> {
        input x: [I];
        param W: [H, I], b: [H, D];
        fn blur(u) = mean(window(u, 3));

        y = blur(W @ x) + row_sum(b);

        output y;
    }
}

fn main() {
    let cell = Filter::<3, 4, 2>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
