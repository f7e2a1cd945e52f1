// A product of dimensions that is no stack of heads can't be read in a block.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K, N> {
        input x: [I];
        u = vec(window(x, N));
        heads K {
            param W: [D, I];
            y = W @ x + mean(u);
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2, 5>::zeros();
    println!("{}", cell.parameter_count());
}
