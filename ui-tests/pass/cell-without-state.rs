// A cell without state is a feed-forward layer.

use nalgebra::{SVector, vector};
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Dense<I, O> {
        input x: [I];
        param W: [O, I] = ones, b: [O] = 0.5;

        y = W @ x + b;

        output y;
    }
}

pub fn main() {
    let mut dense = Dense::<3, 2>::zeros();
    dense.W.fill(1.0);
    dense.b.fill(0.5);
    let mut state = dense.zero_state();
    assert_eq!(dense.step(&vector![1.0, 2.0, 3.0], &mut state), vector![6.5, 6.5]);

    let xs = [vector![1.0, 2.0, 3.0], SVector::zeros()];
    let mut tape = dense.tape();
    let dys = dense.forward(&xs, &mut state, &mut tape).to_vec();
    assert_eq!(dys, [vector![6.5, 6.5], vector![0.5, 0.5]]);
    let mut grads = Dense::zeros();
    let mut dxs = [SVector::zeros(); 2];
    dense.backward(&xs, &mut tape, &dys, Bars::of(&mut grads).inputs(&mut dxs));
    assert_eq!(grads.b, vector![7.0, 7.0]);
    assert_eq!(dxs[0], vector![13.0, 13.0, 13.0]);
}
