// Blocks of heads beside items and dimensions with the names of ours, and `head` and `heads` as
// names of values.

#![deny(warnings)]
#![allow(dead_code)]

use nalgebra::{SMatrix, SVector};

struct Heads;
struct HeadRows;
struct HeadCols;
struct Head;

rnn_cell::rnn_cell! {
    pub cell Memory<T, B, K> {
        input x: [T], u: [K*B];
        context M: [K*B, T];
        state z: [K*B];
        param P: [B, K*B], head: [];

        heads K {
            /// The head's own state.
            state h: [B] = head, n: [];
            param W: [B, T + B], g: [] = 1;
            buffer E: [B, B] = identity;

            h = tanh(W @ [x, h[t-1]] + M.head @ x + u.head + z[t-1].head) + row_sum(window(h[t-2], 2, K));
            n = 0.5 * n[t-1] + g * mean(E @ h);
        }
        heads 2 { param r: [] = 1; s = r * sum(n); }

        z = h * 0.5;
        y = P @ z + sum(s);

        output y, z, n;
    }
}

pub fn main() {
    let mut cell: Memory<2, 3, 2> = Memory::zeros();
    cell.head = 2.0;
    cell.P.heads = [SMatrix::repeat(1.0), SMatrix::repeat(2.0)];
    cell.r = [1.0, 3.0];
    let context = MemoryContext { M: [rnn_cell::types::heads::HeadRows::zeros()] };
    let u = rnn_cell::types::heads::Heads::from_fn(|head| SVector::repeat(head as f32));
    let x = MemoryInput { x: SVector::zeros(), u };
    let mut state = rnn_cell::cell::Layer::<1>::initial_state_with(&cell, &context);
    let y = cell.step((&x, &context), &mut state);
    // Before the start, a delayed state has its initial value, and a window is zero.
    assert_eq!(y.z.head(0), SVector::<f32, 3>::repeat(1.0));
}
