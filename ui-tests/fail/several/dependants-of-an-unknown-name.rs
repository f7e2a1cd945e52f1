// Only `V` is wrong: the shape of `z` is unknown, and so silently are those of all that follows
// from it.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H], c: [I];
        param W: [H, I], U: [H, H];

        z = V @ x;
        a = z * x + z.T;
        [p, q] = [z, a];
        c = tanh(z) + c[t-1] * sum(a);
        h = tanh(W @ p + U @ h[t-1]) * q;

        output h, c;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y.h[0] + y.c[0]);
}
