// `G` must divide `K`: two does not divide three.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Cell<I, D, G, K> {
        input x: [I];
        heads G {
            param W: [D, I];
            B = W @ x;
        }

        y = repeat_heads(B, K);

        output y;
    }
}

fn main() {
    let cell = Cell::<3, 4, 2, 3>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[(0, 0)]);
}
