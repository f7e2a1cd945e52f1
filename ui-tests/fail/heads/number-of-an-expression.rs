// The number of heads is a dimension or a literal.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        heads 2*K {
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
