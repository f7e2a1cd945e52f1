// Each head gives its state a value, in the block.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        param W: [D, I];
        heads K {
            state h: [D];
            q = 0.5 * h[t-1];
        }
        h = tanh(W @ x) + q;
        output h;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
