// Equations end with `;`, not with a comma.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Own<I, H> {
        input x: [I];
        state h, c: [H];
        param W: [2*H, H + I];

        [f, g] = W @ [h[t-1], x],
        c = sigmoid(f) * c[t-1] + tanh(g),
        h = tanh(c), output h;
    }
}

fn main() {
    println!("{}", Own::<3, 4>::PARAMETER_COUNT);
}
