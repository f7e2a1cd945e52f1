// The budget of an embedded device, checked at compile time.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, H + I], b: [H];
        buffer leak: [] = 0.3;

        h = leak * tanh(W @ [h[t-1], x] + b);

        output h;
    }
}

const _: () = assert!(Elman::<3, 16>::PARAMETER_COUNT == 16 * 19 + 16);
const _: () = assert!(Elman::<3, 16>::STATE_BYTES == 16 * 4);
const _: () = assert!(Elman::<3, 16, f64>::STATE_BYTES == 16 * 8);
const _: () = assert!(Elman::<3, 16>::FLOPS_PER_STEP >= 2 * 16 * 19);
const _: () = assert!(Elman::<3, 16>::RECURRENT_FLOPS_PER_STEP >= 2 * 16 * 16);
const _: () = assert!(Elman::<3, 16>::RECURRENT_FLOPS_PER_STEP < Elman::<3, 16>::FLOPS_PER_STEP - 2 * 16);
const _: () = assert!(Elman::<3, 16>::TAPE_BYTES_PER_STEP >= 16 * 4);

pub fn main() {
    assert!(Elman::<3, 16>::EQUATIONS.contains("tanh"), "{}", Elman::<3, 16>::EQUATIONS);
    assert!(!Elman::<3, 16>::ADJOINTS.is_empty());
    assert!(Elman::<3, 16>::JACOBIAN.contains("∂h/∂h[t-1] = "), "{}", Elman::<3, 16>::JACOBIAN);
}
