// `B` is the stack of the groups, and a block sees only the part of its head.

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
            y = g * repeat_heads(B, K).head;
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2, 6>::zeros();
    println!("{}", cell.parameter_count());
}
