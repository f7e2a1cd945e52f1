// The heads are repeated outside of the block.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, G, K> {
        input x: [I];
        heads G {
            param W: [D, I];
            B = W @ x;
        }
        heads K {
            param g: [D] = 1;
            y = g * repeat_heads(B, K);
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2, 6>::zeros();
    println!("{}", cell.parameter_count());
}
