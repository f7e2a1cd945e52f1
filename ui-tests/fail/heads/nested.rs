// Blocks of heads can't contain each other.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K, J> {
        input x: [I];
        heads K {
            param W: [D, I];
            q = W @ x;
            heads J {
                param p: [D];
                y = p * q;
            }
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2, 2>::zeros();
    println!("{}", cell.parameter_count());
}
