// Only a name has parts.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I], u: [K*D];
        heads K {
            param W: [D, I];
            y = W @ x + (2 * u).head;
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
