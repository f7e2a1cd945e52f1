// An index is no vector, neither now nor earlier.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, H, D> {
        input w: one_hot[I];
        param E: [H, I], b: [H, D];

        y = tanh(E @ w) + w[t-1] + row_sum(b);

        output y;
    }
}

fn main() {
    let cell = Filter::<3, 4, 2>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&[0], &mut state);
    println!("{}", y[0]);
}
