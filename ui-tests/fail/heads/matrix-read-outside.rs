// A matrix of a block has no stack, so nothing outside can read it.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        heads K {
            param W: [D, I];
            C = W @ x @ x.T;
        }
        y = mean(C);
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
