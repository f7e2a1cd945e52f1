// User's functions and macros with the names of those that generated code calls.

#![deny(warnings)]
#![allow(dead_code, unused_macros)]

fn drop() {}
fn size_of() {}
fn min() {}
fn max() {}
fn from() {}
fn zip() {}
fn dispatch() {}
fn map() {}
fn products() {}
mod kernels {}
mod generated {}

// Macros that accept no arguments.
macro_rules! shadow {
    ($($name:ident)*) => { $(macro_rules! $name { () => {} })* };
}
shadow! { assert assert_eq debug_assert debug_assert_eq panic vec format
concat stringify matches unreachable write tanh }

rnn_cell::rnn_cell! {
    pub cell Attention<I, E, S> {
        input   x: [I], w: one_hot[I];
        context M: [E, S], mask: [S] = 1;
        state   s: [E] = row_sum(M), R: [E, E];
        param   W: [2*E, E + I], V: [E, I];

        a = softmax(M.T @ s[t-1], mask);
        [u, v] = W @ [s[t-1], x];
        R = R[t-1] + u @ v.T;
        s = tanh(M @ a + max(u, V @ w)) + R @ v;

        output s, a;
    }
}

pub fn main() {
    let cell = Attention::<1, 2, 3>::zeros();
    let context = AttentionContext { M: [nalgebra::SMatrix::zeros()], mask: nalgebra::SVector::zeros() };
    let mut state = cell.initial_state_with(&context);
    let x = AttentionInput { x: nalgebra::SVector::zeros(), w: [0] };
    if cell.step((&x, &context), &mut state).s.norm() != 0.0 {
        ::core::panic!("a zero cell");
    }
}
