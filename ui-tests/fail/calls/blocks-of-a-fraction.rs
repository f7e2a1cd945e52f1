// A block has a whole number of entries.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<H> {
        input x: [H];
        y = row_sum(blocks(x, 2.5));
        output y;
    }
}

fn main() {
    let cell = Cell::<8>::zeros();
    println!("{}", cell.parameter_count());
}
