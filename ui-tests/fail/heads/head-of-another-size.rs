// `x` is shared by all heads, not their stack.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, K> {
        input x: [I];
        heads K {
            param w: [I];
            q = w * x.head;
        }
        output q;
    }
}

fn main() {
    let cell = Cell::<3, 2>::zeros();
    println!("{}", cell.parameter_count());
}
