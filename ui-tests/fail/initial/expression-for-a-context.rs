// A context's default is a number.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input   x: [I];
        context m: [H] = b;
        state   h: [H];
        param   W: [H, I], U: [H, H], b: [H];

        h = tanh(W @ x + U @ h[t-1] + b) * m;

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let context = ElmanContext { m: SVector::zeros() };
    let mut state = cell.zero_state();
    let y = cell.step((&SVector::zeros(), &context), &mut state);
    println!("{}", y[0]);
}
