// Several cells of different visibility in one macro call. Each cell has its own namespace.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell First<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];

        fn squash(u) = tanh(u);

        h = squash(W @ x + U @ h[t-1]);

        output h;
    }

    pub(crate) cell Second<H, O> {
        input x: [H];
        state h: [O];
        param W: [O, H];

        fn squash(u) = sigmoid(u);

        h = squash(W @ x) * h[t-1];

        output h;
    }

    cell Third<H> {
        input h: [H];
        param x: [H];

        W = h * x;

        output W;
    }
}

pub fn main() {
    let (first, second, third) = (First::<2, 3>::zeros(), Second::<3, 4>::zeros(), Third::<4>::zeros());
    let h = first.step(&SVector::zeros(), &mut first.zero_state());
    let h = second.step(&h, &mut second.zero_state());
    assert_eq!(third.step(&h, &mut third.zero_state()).norm(), 0.0);
}
