// `n` is a parameter, and a shape cannot depend on its value.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<H> {
        input x: [H];
        param n: [] = 4;
        y = row_sum(blocks(x, n));
        output y;
    }
}

fn main() {
    let cell = Cell::<8>::zeros();
    println!("{}", cell.parameter_count());
}
