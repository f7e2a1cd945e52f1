// `repeat_heads(B, J)` is a stack of `J` heads.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, G, K, J> {
        input x: [I];
        heads G {
            param W: [D, I];
            B = W @ x;
        }
        every = repeat_heads(B, J);
        heads K {
            param g: [D] = 1;
            y = g * every.head;
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2, 6, 4>::zeros();
    println!("{}", cell.parameter_count());
}
