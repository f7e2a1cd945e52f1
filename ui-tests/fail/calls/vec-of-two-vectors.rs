// A stack of vectors needs no `vec`.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, H> {
        input x: [I], e: [I];
        param W: [H, 2*I];
        y = W @ vec(x, e);
        output y;
    }
}

fn main() {
    let cell = Cell::<2, 3>::zeros();
    println!("{}", cell.parameter_count());
}
