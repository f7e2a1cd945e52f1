// Four heads make no three groups.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D> {
        input x: [I];
        heads 4 {
            param W: [D, I];
            h = W @ x;
        }
        y = sum_heads(h, 3);
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4>::zeros();
    println!("{}", cell.parameter_count());
}
