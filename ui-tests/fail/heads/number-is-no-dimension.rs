// The number of heads is a dimension, not a value.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I], n: [K];
        heads n {
            param W: [D, I];
            y = W @ x * sum(n);
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
