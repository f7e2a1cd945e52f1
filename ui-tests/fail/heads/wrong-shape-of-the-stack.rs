// Outside of the block, `q` is the stack of the heads.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        heads K {
            param W: [D, I];
            q = W @ x;
        }
        param U: [D, D];
        y = U @ q;
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
