// What is missing in one cell says nothing of another's names.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Left<H> {
        input x: [H];
        param gain, bias: [H];

        y = layer_norm(x, gain);

        output y;
    }

    pub cell Right<H> {
        input x: [H];
        param gain, bias: [H];

        y = gain * x;

        output y;
    }
}

fn main() {
    println!("{} {}", Left::<3>::PARAMETER_COUNT, Right::<3>::PARAMETER_COUNT);
}
