// A definition from a user's macro, whose fragments are groups without delimiters.

use nalgebra::vector;

macro_rules! gated {
    ($visibility:vis $name:ident, $size:literal, $activation:ident, $factor:expr, $hidden:ident) => {
        rnn_cell::rnn_cell! {
            $visibility cell $name<$hidden> {
                input x: [$hidden];
                state h: [$hidden];
                param k: [$size];

                h = $activation($factor * x) + h[t-1] * sum(k);

                output h;
            }
        }
    };
}

gated!(pub Relu, 3, relu, -1.0 + 2.0, H);
gated!(Silu, 2, silu, 2, N);

pub fn main() {
    let cell = Relu::<2>::zeros();
    assert_eq!(cell.step(&vector![1.0, -2.0], &mut cell.zero_state()), vector![1.0, 0.0]);
    assert_eq!(cell.k.len(), 3);
    assert_eq!(Silu::<2>::zeros().k.len(), 2);
}
