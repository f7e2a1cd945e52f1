// A comma after the last element of every list.

use nalgebra::vector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Commas<I, H,> {
        input  x: [I,],;
        state  h, c: [H,],;
        param  W, U: [2*H, I,] = uniform(-0.1, 0.1,), b: [H] = 1,;
        buffer k: [] = 0.3,;

        fn blend(u, v,) = max(u, v,);

        [i, f,] = W @ x + U @ (k * x);
        c = blend(i, f,) + b;
        h: [H,] = h[t-1] + c[t-1] + mean([c, f,],);

        output h, c,;
    }
}

pub fn main() {
    let cell = Commas::<1, 2>::zeros();
    assert_eq!(cell.step(&vector![1.0], &mut cell.zero_state()).h, vector![0.0, 0.0]);
}
