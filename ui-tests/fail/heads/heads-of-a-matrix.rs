// A parameter `[D, I]` has no heads.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        param W: [D, I];
        heads K {
            param g: [] = 1;
            h = g * sum(x);
        }
        y = h * sum(repeat_heads(W, K));
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
