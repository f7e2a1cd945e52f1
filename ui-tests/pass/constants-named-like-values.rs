// Constants, statics and unit structs with the names of dimensions, equations, inputs, states and
// parameters. A pattern with the name of a constant compares with it, so no generated `let` or
// argument may have the name of a user's value.

#![deny(warnings)]
#![allow(non_upper_case_globals, non_camel_case_types, dead_code)]

use nalgebra::{SVector, vector};
use rnn_cell::prelude::*;

const C: usize = 9;
const I: usize = 9;
const H: f32 = 9.0;
const T: u8 = 9;
const B: u8 = 9;
const v: u8 = 9;
const i: u8 = 9;
const W: u8 = 9;
static f: u8 = 9;
static h: u8 = 9;
static U: u8 = 9;
struct c;
static dy: u8 = 9;
static other: u8 = 9;
static batch: u8 = 9;
static visitor: u8 = 9;
static index: u8 = 9;
static fixed: u8 = 9;

rnn_cell! {
    pub cell Lstm<I, H> {
        input v: [I];
        state h, c: [H];
        param W: [2*H, I], U: [2*H, H], b: [2*H] = 1;

        [i, f] = W @ v + U @ h[t-1] + b;
        c = sigmoid(f) * c[t-1] + tanh(i);
        h = tanh(c);

        output h, i;
    }
}

const b: u8 = 9;

pub fn main() {
    let cell = Lstm::<3, 4>::zeros();
    let mut memory = cell.zero_state();
    let y = cell.step(&vector![1.0, 2.0, 3.0], &mut memory);
    assert_eq!(y.h.norm() + y.i.norm(), 0.0);
    let steps = [SVector::<f32, 3>::zeros(); 2];
    let mut residuals = cell.tape();
    let ys = cell.forward(&steps, &mut memory, &mut residuals).to_vec();
    let mut gradients = Lstm::zeros();
    cell.backward(&steps, &mut residuals, &ys, &mut gradients);
}
