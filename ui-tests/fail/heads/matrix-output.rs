// An output of a block is the stack of its heads, which a matrix has not.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        heads K {
            param W: [D, I];
            C = W @ x @ x.T;
        }
        output C;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
