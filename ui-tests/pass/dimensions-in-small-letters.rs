// Dimensions with small letters, and with the names of values in generated code.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Small<x, y, isa, __S> {
        input   v: [x];
        state   h: [y];
        param   W: [y, x + isa], U: [y, y], g: [isa], a: [__S];

        h = tanh(W @ [v[t-isa], g] + U @ h[t-1]) * sum(a) / isa;

        output h;
    }
}

pub fn main() {
    let cell = Small::<1, 2, 3, 4>::zeros();
    let mut state = cell.initial_state::<1>();
    assert_eq!(cell.step(&SVector::<f32, 1>::zeros(), &mut state), SVector::<f32, 2>::zeros());
    assert!(Small::<1, 2, 3, 4>::EQUATIONS.contains("v[t-isa]"));
}
