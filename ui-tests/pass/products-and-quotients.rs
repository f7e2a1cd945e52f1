// Mixtures of `@`, `*` and `/` need no parentheses if every grouping has the same meaning.

use nalgebra::{matrix, vector};
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Mixes<H> {
        input x: [H];
        param W: [H, H], a: [H];

        y = 2 * W @ x;
        z = a * W @ x;
        u = W @ x * 2 / H;
        v = -W @ x / 2 + sum(x) * W @ x;
        w = x @ x.T @ x;

        output y, z, u, v, w;
    }
}

pub fn main() {
    let mut cell = Mixes::<2>::zeros();
    cell.W = matrix![1.0, 2.0; 3.0, 4.0];
    cell.a = vector![10.0, 1.0];
    let y = cell.step(&vector![1.0, 1.0], &mut cell.zero_state());
    assert_eq!(y.y, vector![6.0, 14.0]);
    assert_eq!(y.z, vector![30.0, 7.0]);
    assert_eq!(y.u, vector![3.0, 7.0]);
    assert_eq!(y.v, vector![4.5, 10.5]);
    assert_eq!(y.w, vector![2.0, 2.0]);
}
