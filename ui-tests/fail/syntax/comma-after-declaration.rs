// Declarations end with `;`, not with a comma.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Own<I, H> {
        input x: [I],
        state h: [H];
        param W: [H, H + I], b: [H],

        h = tanh(W @ [h[t-1], x] + b);

        output h;
    }
}

fn main() {
    println!("{}", Own::<3, 4>::PARAMETER_COUNT);
}
