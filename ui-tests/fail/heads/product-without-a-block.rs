// `K*D` is a size only where `K` is the number of a block's heads.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        param W: [K*D, I];
        y = W @ x;
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
