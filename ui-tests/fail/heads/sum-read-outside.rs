// A vector of several terms has no stack of one size.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        heads K {
            param W: [D + 1, I];
            z = W @ x;
        }
        y = tanh(z);
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
