// Within a block every value belongs to one head.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K, N> {
        input x: [I];
        heads K {
            param W: [D, I], v: [D];
            u = W @ x;
            y = v * sum(vec(window(u, N)));
        }
        output y;
    }
}

fn main() {
    let cell = Cell::<2, 3, 4, 5>::zeros();
    println!("{}", cell.parameter_count());
}
