// Cells with the names of types of the runtime and of nalgebra.

#![deny(warnings)]

use nalgebra::vector;

rnn_cell::rnn_cell! {
    pub cell Step<H> { input x: [H]; state h: [H]; h = x + h[t-1]; output h; }
    pub cell Series<H> { input x: [H]; state h: [H]; h = x + h[t-1]; output h; }
    pub cell Cell<H> { input x: [H]; state h: [H]; h = x + h[t-1]; output h; }
    pub cell Layer<H> { input x: [H]; state h: [H]; h = x + h[t-1]; output h; }
    pub cell Scalar<H> { input x: [H]; state h: [H]; h = x + h[t-1]; output h; }
    pub cell Job<H> { input x: [H]; state h: [H]; h = x + h[t-1]; output h; }
    pub cell SMatrix<H> { input x: [H]; state h: [H]; h = x + h[t-1]; output h; }
    pub cell Box<H> { input x: [H]; state h: [H]; h = x + h[t-1]; output h; }
    pub cell Option<H> { input x: [H]; state h: [H]; h = x + h[t-1]; output h; }
}

pub fn main() {
    let cell: Step<1> = Step::zeros();
    assert_eq!(cell.step(&vector![1.0], &mut cell.zero_state()), vector![1.0]);
    let cell: SMatrix<1> = SMatrix::zeros();
    assert_eq!(cell.step(&vector![1.0], &mut cell.zero_state()), vector![1.0]);
}
