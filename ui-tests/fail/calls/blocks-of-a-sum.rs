// The blocks could cross the border between the terms.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<H, I> {
        input h: [H], x: [I];
        param W: [H + I, 4] = 0.5;
        y = row_sum(W * blocks([h, x], 4));
        output y;
    }
}

fn main() {
    let cell = Cell::<4, 8>::zeros();
    println!("{}", cell.parameter_count());
}
