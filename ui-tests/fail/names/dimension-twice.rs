// Two dimensions of one name would be one size.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<H, H> {
        input x: [H];
        state h: [H];
        param W: [H, H], U: [H, H];

        h = tanh(W @ x + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let x = SVector::<f32, 4>::zeros();
    println!("{}", x[0]);
}
