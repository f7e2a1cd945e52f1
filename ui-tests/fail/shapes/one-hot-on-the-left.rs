// A one-hot input stands to the right of `@`.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Reader<V, H> {
        input w: one_hot[V];
        state h: [H];
        param E: [V, H], U: [H, H];

        h = tanh(w @ E + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Reader::<9, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&[3], &mut state);
    println!("{}", y[0]);
}
