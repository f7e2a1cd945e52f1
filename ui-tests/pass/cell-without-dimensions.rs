// All sizes are literals, so the type has no const generics.

use nalgebra::vector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Leaky {
        input x: [2];
        state h: [2], n: [];
        param leak: [] = 0.5;

        n = n[t-1] + 1;
        h = leak * h[t-1] + x;

        output h, n;
    }
}

pub fn main() {
    let mut cell: Leaky = Leaky::zeros();
    cell.leak = 0.5;
    let mut state = cell.zero_state();
    cell.step(&vector![1.0, 2.0], &mut state);
    let y = cell.step(&vector![1.0, 2.0], &mut state);
    assert_eq!(y.h, vector![1.5, 3.0]);
    assert_eq!(y.n[0], 2.0);
}
