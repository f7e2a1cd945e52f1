// The names of a block and of the cell share one namespace.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        param W: [D, I];
        heads K {
            param W: [D, I];
            q = W @ x;
        }
        y = q;
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
