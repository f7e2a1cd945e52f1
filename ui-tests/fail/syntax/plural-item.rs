// `inputs` is no word of the language, though it declares two.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        inputs x: [I], y: [I];
        state  h: [H];
        param  W: [H, I], U: [H, H];

        h = tanh(W @ (x + y) + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    println!("{}", cell.W[(0, 0)]);
}
