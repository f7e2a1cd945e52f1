// `3*I` is `I + I + I`: a literal number of columns makes no stack.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, H> {
        input x: [I];
        param W: [H, 3*I];
        y = W @ vec(window(x, 3));
        output y;
    }
}

fn main() {
    let cell = Cell::<2, 4>::zeros();
    println!("{}", cell.parameter_count());
}
