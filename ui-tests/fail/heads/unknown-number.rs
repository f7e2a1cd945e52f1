// The number of heads is not a dimension of the cell.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D> {
        input x: [I];
        heads N {
            param W: [D, I];
            y = W @ x;
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4>::zeros();
    println!("{}", cell.parameter_count());
}
