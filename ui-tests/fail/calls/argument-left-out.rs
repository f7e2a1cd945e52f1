// The gain is there and the bias isn't: that nothing uses the parameter `bias` is the same mistake, not another.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Own<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, H + I], gain, bias: [H];

        u = layer_norm(W @ [h[t-1], x], gain);
        h = tanh(u);

        output h;
    }
}

fn main() {
    println!("{}", Own::<3, 4>::PARAMETER_COUNT);
}
