// Calls of the macro by its path, under another name, and through a re-export.

use nalgebra::vector;

mod facade {
    pub use rnn_cell::rnn_cell as equations;
}
use facade::equations;
use rnn_cell as networks;

equations! {
    cell One<H> {
        input x: [H];

        y = 2 * x;

        output y;
    }
}

networks::rnn_cell! {
    cell Two<H> {
        input x: [H];

        y = 3 * x;

        output y;
    }
}

pub fn main() {
    let (one, two): (One<1>, Two<1>) = (One::zeros(), Two::zeros());
    assert_eq!(one.step(&vector![1.0], &mut one.zero_state()), vector![2.0]);
    assert_eq!(two.step(&vector![1.0], &mut two.zero_state()), vector![3.0]);
}
