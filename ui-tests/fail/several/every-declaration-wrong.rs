// Four declarations, each with a mistake; the equation that uses them all stays silent.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: (I);
        state h: [H;];
        param W: [H, J];
        param U: [H, H] = orthogonale;

        h = tanh(W @ x + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    println!("{}", cell.U[(0, 0)]);
}
