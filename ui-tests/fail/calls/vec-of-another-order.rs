// The columns are `N` vectors of `I`, as in `N*I`.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, H, N> {
        input x: [I];
        param W: [H, I*N];
        y = W @ vec(window(x, N));
        output y;
    }
}

fn main() {
    let cell = Cell::<2, 3, 4>::zeros();
    println!("{}", cell.parameter_count());
}
