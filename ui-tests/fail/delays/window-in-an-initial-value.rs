// Before the first step there is no past.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Filter<I, H, D> {
        input x: [I];
        context m: [H];
        state h: [H] = row_sum(window(m, 3));
        param W: [H, I], b: [H, D];

        h = tanh(W @ x + h[t-1]) + row_sum(b);

        output h;
    }
}

fn main() {
    let cell = Filter::<3, 4, 2>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
