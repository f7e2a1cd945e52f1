// `.head` is the part of one head, and outside of a block there is none.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I], u: [K*D];
        heads K {
            param W: [D, I];
            q = W @ x + u.head;
        }
        y = q * u.head;
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
