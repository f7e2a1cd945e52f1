// Dimensions with the names of generics in other generated code: `T`, `B`, `S`, `N`, `M`, `K` and
// `G`.

use nalgebra::{SMatrix, SVector};
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Letters<T, B, S, N, M, K, G> {
        input   x: [T], y: [B, S];
        context A: [N, M];
        state   s: [S], R: [K, G];
        param   W: [S, T], V: [K, N], U: [M, G + B];

        s = W @ x + y.T @ row_sum(y) + s[t-1] / S;
        R = R[t-1] + sum(U) * V @ row_sum(A) @ row_sum(R[t-1].T).T;
        z = sum(R) * s;

        output z, R;
    }
}

pub fn main() {
    let cell = Letters::<1, 2, 3, 4, 5, 6, 7, f64>::zeros();
    let context = LettersContext { A: [SMatrix::zeros(); 2] };
    let mut state = cell.zero_state::<2>();
    let x = LettersInput { x: SMatrix::zeros(), y: [SMatrix::zeros(); 2] };
    let y = cell.step((&x, &context), &mut state);
    assert_eq!(y.z, SMatrix::<f64, 3, 2>::zeros());
    assert_eq!(y.R[1], SMatrix::<f64, 6, 7>::zeros());
    assert_eq!(cell.W.column(0).into_owned(), SVector::<f64, 3>::zeros());
}
