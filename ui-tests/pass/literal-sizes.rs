// Literals and names in sums and multiples of dimensions. A split over a literal gives scalars.

use nalgebra::{SVector, vector};
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Mixed<H> {
        input x: [2];
        state h: [H];
        param W: [2*H, H + 2 + 1], V: [3, H];

        [z, n] = W @ [h[t-1], x, 1];
        h = sigmoid(z) * h[t-1] + (1 - sigmoid(z)) * tanh(n);
        [a, b, c] = V @ h;
        y = [a + b, c];

        output y;
    }
}

pub fn main() {
    let cell = Mixed::<5>::zeros();
    let mut state = cell.zero_state();
    let y: SVector<f32, 2> = cell.step(&vector![1.0, 2.0], &mut state);
    assert_eq!(y, vector![0.0, 0.0]);
    assert_eq!(cell.W.to_matrix::<10, 8>().shape(), (10, 8));
    assert_eq!(Mixed::<5>::PARAMETER_COUNT, 10 * 8 + 3 * 5);
}
