// Several inputs of every kind and several outputs, with a batch of three.

use nalgebra::{SMatrix, SVector};
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Kinds<V, N> {
        input  x: [N], X: [N, N], k: [], w: one_hot[V];
        state  h: [N];
        param  E: [N, V] = 1;

        h = h[t-1] + x + row_sum(X) * k + E @ w;
        M = h @ x.T;
        total = sum(h);

        output h, M, total;
    }
}

pub fn main() {
    let mut cell = Kinds::<4, 2, f64>::zeros();
    cell.E.fill(1.0);
    let x = KindsInput {
        x: SMatrix::<f64, 2, 3>::repeat(1.0),
        X: [SMatrix::<f64, 2, 2>::repeat(0.5); 3],
        k: SMatrix::<f64, 1, 3>::repeat(2.0),
        w: [0, 3, 9],
    };
    let y = cell.step(&x, &mut cell.zero_state());
    assert_eq!(y.h.column(0), SVector::<f64, 2>::repeat(4.0));
    // An index outside of the vocabulary reads zeros.
    assert_eq!(y.h.column(2), SVector::<f64, 2>::repeat(3.0));
    assert_eq!(y.M[1], SMatrix::<f64, 2, 2>::repeat(4.0));
    assert_eq!(y.total, SMatrix::<f64, 1, 3>::new(8.0, 8.0, 6.0));
}
