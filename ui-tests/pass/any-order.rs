// Items and equations in any order: outputs first, equations before the values they read,
// declarations last.

use nalgebra::vector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Backwards<H> {
        output z;
        z = twice(y);
        y = x2 + h;
        fn twice(u) = double(u);
        x2 = x * x;
        h = h[t-1] + x;
        fn double(u) = 2 * u;
        state h: [H];
        input x: [H];
    }
}

pub fn main() {
    let cell: Backwards<2> = Backwards::zeros();
    let mut state = cell.zero_state();
    assert_eq!(cell.step(&vector![1.0, 2.0], &mut state), vector![4.0, 12.0]);
    assert_eq!(cell.step(&vector![1.0, 2.0], &mut state), vector![6.0, 16.0]);
}
