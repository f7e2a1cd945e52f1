// A one-hot input is an index: it stands to the right of `@` only.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Reader<V> {
        input w: one_hot[V];
        state h: [V];
        param U: [V, V];

        h = tanh(U @ h[t-1] + w);

        output h;
    }
}

fn main() {
    let cell = Reader::<9>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&[3], &mut state);
    println!("{}", y[0]);
}
