// A split that lacks a name leaves a name unknown: one mistake, at the split.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Own<I, H> {
        input x: [I];
        state h, c: [H];
        param W: [3*H, H + I];

        [f_pre, g_pre] = W @ [h[t-1], x];
        f = sigmoid(f_pre);
        c = f * c[t-1] + (1 - f) * tanh(g_pre);
        h = sigmoid(o_pre) * tanh(c);

        output h;
    }
}

fn main() {
    println!("{}", Own::<3, 4>::PARAMETER_COUNT);
}
