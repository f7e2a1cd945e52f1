// Rust's const generics have a keyword and a type; the cell's dimensions are names.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<const I: usize, const H: usize> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];

        h = tanh(W @ x + U @ h[t-1]);

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
