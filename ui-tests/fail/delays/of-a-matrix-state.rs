// A ring holds vectors.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, H, D> {
        input x: [I];
        state C: [H, D];
        param W: [H, I], k: [D];

        C = 0.9 * C[t-1] + (W @ x) @ k.T;
        y = (C + C[t-2]) @ k;

        output y;
    }
}

fn main() {
    let cell = Filter::<3, 4, 2>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
