// States that start at zero, at a number, at a parameter, and at an expression of parameters,
// buffers and contexts.

use nalgebra::{SVector, vector};
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Starts<H> {
        context m: [H] = 1;
        state   a: [H];
        state   b: [H] = -1e30;
        state   c: [H] = c0, d: [H] = 2 * (W_0 @ m) + shift;
        param   c0: [H], W_0: [H, H] = identity(1);
        buffer  shift: [] = 0.5;

        a = a[t-1] + 1;
        b = max(b[t-1], a);
        c = c[t-1] + d[t-1];
        d = d[t-1];

        output b, c;
    }
}

pub fn main() {
    let mut cell = Starts::<2>::zeros();
    cell.c0 = vector![5.0, 6.0];
    cell.W_0.fill_with_identity();
    cell.shift = 0.5;
    let context = StartsContext::<2>::default();
    assert_eq!(context.m, SVector::<f32, 2>::repeat(1.0));
    let mut state = cell.initial_state_with(&context);
    assert_eq!(state.a, vector![0.0, 0.0]);
    assert_eq!(state.b, vector![-1e30, -1e30]);
    let y = cell.step((&(), &context), &mut state);
    assert_eq!(y.b, vector![1.0, 1.0]);
    assert_eq!(y.c, vector![7.5, 8.5]);
}
