// Inputs come from outside of the cell, so they are declared outside of the block.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        heads K {
            input x: [I];
            param W: [D, I];
            y = W @ x;
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
