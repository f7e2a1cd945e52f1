// Three does not divide eight.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell {
        input x: [8];
        param W: [8, 3] = 0.5;
        y = row_sum(W * blocks(x, 3));
        output y;
    }
}

fn main() {
    let cell = Cell::<f32>::zeros();
    println!("{}", cell.parameter_count());
}
