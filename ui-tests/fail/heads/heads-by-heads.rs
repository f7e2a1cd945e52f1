// A matrix can be divided among heads along one of its dimensions.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, K> {
        input x: [I];
        param R: [K*D, K*D];
        heads K {
            param W: [D, I];
            q = W @ x;
        }
        y = R @ q;
        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2>::zeros();
    println!("{}", cell.parameter_count());
}
