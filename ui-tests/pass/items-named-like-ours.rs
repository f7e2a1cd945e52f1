// User's items with the names of items of the prelude, of nalgebra and of the runtime.

#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

struct Result;
struct Option;
struct Some;
struct Vec;
struct Box;
struct String;
struct Default;
struct Clone;
struct Debug;
struct Copy;
struct Sized;
struct Send;
struct Fn;
struct Iterator;
struct f32x8;
struct Step;
struct Series;
struct Scalar;
struct Model;
struct Layer;
struct Cell;
struct Job;
struct Isa;
struct Rng;
struct Tape;
struct State;
struct Input;
struct Output;
struct Context;
struct SMatrix;
struct SVector;
struct Rows;
struct Cols;
struct Flat;
mod core {}
mod std {}
mod alloc {}
mod kernels {}
mod init {}

rnn_cell::rnn_cell! {
    pub cell Elman<I, H> {
        input   x: [I], w: one_hot[H];
        context m: [H] = 1;
        state   h: [H], S: [H, H];
        param   W: [H, H + I], U: [H, H], s: [];
        buffer  leak: [] = 0.3;

        S = S[t-1] + h @ h.T;
        h = leak * tanh(W @ [h[t-1], x] + U @ w + m * s);
        y = S @ h;

        output h, y;
    }
}

pub fn main() {
    let cell = Elman::<3, 4>::zeros();
    let context = ElmanContext::default();
    let mut state = cell.zero_state::<1>();
    let x = ElmanInput { x: Default::zeros(), w: [2] };
    let y = cell.step((&x, &context), &mut state);
    assert_eq!(y.h.norm(), 0.0);
}

impl Default {
    fn zeros() -> nalgebra::SVector<f32, 3> {
        nalgebra::SVector::zeros()
    }
}
