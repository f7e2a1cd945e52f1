// `blocks` divides a vector.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<H, E> {
        input x: [H];
        param M: [H, E] = 0.5;
        y = row_sum(blocks(M, 2)) * x;
        output y;
    }
}

fn main() {
    let cell = Cell::<4, 3>::zeros();
    println!("{}", cell.parameter_count());
}
