// Items on one line, a comma after each.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Own<I, H> {
        input x: [I], state h: [H], param W: [H, I], h = tanh(W @ x) + h[t-1], output h,
    }
}

fn main() {
    println!("{}", Own::<3, 4>::PARAMETER_COUNT);
}
