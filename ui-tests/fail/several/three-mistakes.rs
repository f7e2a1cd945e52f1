// An unknown name, a mismatch and an output that does not exist: each is reported, once.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h, c: [H];
        param W: [H, I], U: [H, H];

        c = sigmoid(W @ x + u @ c[t-1]) * c[t-1];
        h = tanh(W @ c + U @ h[t-1]);

        output h, k;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state::<1>();
    cell.step(&SVector::zeros(), &mut state);
    println!("{}", state.h[0]);
}
