// LaTeX's subscript, and an operator that is missing before it.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Own<I, H> {
        input x: [I];
        state h, c: [H];
        param W: [H, H + I];

        f = sigmoid(W @ [h[t-1], x]);
        c = f c_{t-1} + x_gate;
        x_gate = 1 - f;
        h = tanh(c);

        output h;
    }
}

fn main() {
    println!("{}", Own::<3, 4>::PARAMETER_COUNT);
}
