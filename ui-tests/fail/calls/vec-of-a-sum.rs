// A window of a sum has two blocks, which the columns can't keep together.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, E, H, N> {
        input x: [I], e: [E];
        param W: [H, N*I];
        y = W @ vec(window([x, e], N));
        output y;
    }
}

fn main() {
    let cell = Cell::<2, 3, 4, 5>::zeros();
    println!("{}", cell.parameter_count());
}
