// A cell without inputs depends on its state alone. Its input type is `()`.

use nalgebra::vector;
use rnn_cell::prelude::*;

rnn_cell! {
    /// A cell whose state doubles at every step.
    pub cell Doubling<H> {
        state h: [H] = 1;

        h = 2 * h[t-1];

        output h;
    }
}

pub fn main() {
    let cell: Doubling<2> = Doubling::zeros();
    let mut state = cell.initial_state::<1>();
    assert_eq!(cell.step(&(), &mut state), vector![2.0, 2.0]);
    let mut tape = cell.tape();
    let ys = cell.forward(&[(); 3], &mut state, &mut tape);
    assert_eq!(ys[2], vector![16.0, 16.0]);
}
