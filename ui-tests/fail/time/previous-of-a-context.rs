// A context stays the same for the whole sequence.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input   x: [I];
        context m: [H];
        state   h: [H];
        param   W: [H, I], U: [H, H];

        h = tanh(W @ x + U @ h[t-1] + m[t-1]);

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
