// Documentation, `cfg`, `derive` and `allow` of a cell are copied to the type, documentation of
// values to its fields.

#![deny(missing_docs, warnings)]

//! A crate with documentation.

use nalgebra::vector;
use rnn_cell::prelude::*;

rnn_cell! {
    /// A cell.
    ///
    /// With *two* paragraphs, "quotes" and a `{brace}`.
    #[derive(Eq)]
    #[allow(clippy::all)]
    #[must_use]
    pub cell Elman<I, H> {
        /// The input.
        input x: [I];
        /// The state.
        state h: [H];
        /// The learned parameters.
        param W: [H, I], U: [H, H];

        /// The new state.
        h = tanh(W @ x + U @ h[t-1]);

        /// The output.
        output h;
    }

    #[cfg(any())]
    pub cell Elman<H> {
        state h: [H];

        h = h[t-1];

        output h;
    }

    #[cfg(all())]
    #[doc = "Built."]
    pub cell Built<H> {
        input x: [H];

        y = x;

        output y;
    }
}

pub fn main() {
    let cell = Elman::<2, 3>::zeros();
    assert_eq!(cell, cell.clone());
    let built: Built<1> = Built::zeros();
    assert_eq!(built.step(&vector![1.0], &mut built.zero_state()), vector![1.0]);
}
