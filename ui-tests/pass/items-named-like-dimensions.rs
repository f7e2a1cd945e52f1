// Types with the names of dimensions. Rust resolves a bare name to the type where both a type and a
// constant are possible.

#![deny(warnings)]
#![allow(dead_code)]

use nalgebra::SVector;
use rnn_cell::prelude::*;

struct I;
enum H {
    Nothing,
}
type S = u8;
trait E {}
struct B;
struct T;

rnn_cell! {
    pub cell Attention<I, E, S, H> {
        input   x: [I];
        context M: [E, S], mask: [S] = 1;
        state   s: [H] = tanh(W_0 @ row_sum(M)), R: [H, H];
        param   W_0: [H, E], W: [2*H, H + I], U: [H, S];

        a = softmax(M.T @ (W_0.T @ s[t-1]), mask);
        [u, v] = W @ [s[t-1], x];
        R = R[t-1] + u @ v.T;
        s = W_0 @ (M @ a) + R @ v + U @ a + row_sum(softplus(R)) / S;

        output s, a;
    }
}

pub fn main() {
    let cell = Attention::<1, 2, 3, 4>::zeros();
    let context = AttentionContext { M: [nalgebra::SMatrix::zeros()], mask: SVector::zeros() };
    let mut state = cell.initial_state_with(&context);
    let y = cell.step((&SVector::zeros(), &context), &mut state);
    assert!(y.s[0] > 0.0);
    let xs = [SVector::zeros(); 2];
    let mut tape = cell.tape();
    let dys = cell.forward((&xs, &context), &mut state, &mut tape).to_vec();
    let (mut grads, mut dstate) = (cell.clone(), state.clone());
    let bars = Bars::of(&mut grads).state(&mut dstate).without_context();
    cell.backward((&xs, &context), &mut tape, &dys, bars);
}
