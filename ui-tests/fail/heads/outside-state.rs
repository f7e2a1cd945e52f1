// One state can't have a value per head.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        state h: [D];
        heads K {
            param W: [D, I];
            h = tanh(W @ x + h[t-1]);
        }
        output h;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
