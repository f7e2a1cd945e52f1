// A name with a leading `_` may be unused.

#![deny(warnings)]

use nalgebra::vector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Silent<H, _K> {
        input   x: [H], _m: [H];
        state   h: [H], _s: [H];
        param   _spare: [3];
        buffer  _version: [] = 2;

        _probe = square(x);
        [_a, b] = [x, h[t-1]];
        _s = x;
        h = x + b;

        output h;
    }
}

pub fn main() {
    let cell = Silent::<1, 7>::zeros();
    let x = SilentInput { x: vector![1.0], _m: vector![0.0] };
    assert_eq!(cell.step(&x, &mut cell.zero_state()), vector![1.0]);
}
