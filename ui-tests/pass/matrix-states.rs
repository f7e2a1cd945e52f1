// Matrices as states, inputs and contexts, with broadcast rows and columns.

use nalgebra::SMatrix;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Memory<N, M> {
        input   k: [N], v: [M];
        context gate: [N, M] = 1;
        state   S: [N, M];

        S = gate * (S[t-1] + k @ v.T) + (S[t-1] * k - S[t-1] * v.T) * 0;
        r = S.T @ k;

        output S, r;
    }
}

pub fn main() {
    let cell: Memory<2, 3> = Memory::zeros();
    let context = MemoryContext { gate: [SMatrix::repeat(1.0); 2] };
    let mut state = cell.zero_state::<2>();
    let x = MemoryInput { k: SMatrix::repeat(2.0), v: SMatrix::repeat(3.0) };
    let y = cell.step((&x, &context), &mut state);
    assert_eq!(y.S, [SMatrix::<f32, 2, 3>::repeat(6.0); 2]);
    assert_eq!(y.r, SMatrix::<f32, 3, 2>::repeat(24.0));
}
