// Functions have a separate namespace: an equation may have the name of a function, and a
// user-defined function that of a parameter.

use nalgebra::vector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Names<H> {
        input x: [H];
        state tanh: [H];
        param gate: [H], exp: [H];

        fn gate(u) = sigmoid(u);
        fn swish(exp, sigmoid) = exp * sigmoid(exp) + sigmoid;

        max = max(x, gate * gate(x));
        tanh = tanh(swish(max, tanh[t-1])) + exp(exp);

        output tanh;
    }
}

pub fn main() {
    let cell = Names::<2>::zeros();
    let y = cell.step(&vector![0.0, 0.0], &mut cell.zero_state());
    assert_eq!(y, vector![1.0, 1.0]);
}
