// Inputs and states share one namespace.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<H> {
        input h: [H];
        state h: [H];
        param U: [H, H];

        h = tanh(U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<4>::zeros();
    println!("{}", cell.U[(0, 0)]);
}
