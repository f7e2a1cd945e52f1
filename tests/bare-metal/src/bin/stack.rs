//! Measures the stack usage of one step by stack painting: the step runs on a stack that was filled
//! with a pattern, and every word that has changed was used. Prints a table and exits with 1 if a
//! step of `Lstm<1, 64>` uses more than `LIMIT`.

#![no_std]
#![no_main]

use bare_metal::{Text, any, fill, platform};
use core::hint::black_box;
use core::mem::MaybeUninit;
use rnn_cell::cells::*;

/// The stack limit in bytes of a step of an LSTM with 64 units.
const LIMIT: usize = 4 * 1024;

/// Measures the stack of a step. Parameters, state, input and output are stored elsewhere.
macro_rules! step {
    (@list $first:literal $(, $size:literal)*) => { concat!($first $(, ", ", $size)*) };
    ($cell:ident < $($size:literal),+ >) => {{
        #[inline(never)]
        fn measured() -> usize {
            let mut cell = $cell::<$($size),+>::zeros();
            fill(&mut cell);
            let (x, mut state) = (any(), cell.initial_state::<1>());
            let mut output = MaybeUninit::uninit();
            platform::stack(&mut || {
                output.write(black_box(&cell).step(black_box(&x), &mut state));
            })
        }
        let bytes = measured();
        let name = concat!(stringify!($cell), "<", step!(@list $($size),+), ">");
        Text::new().str(name).integer(bytes).str(" bytes").end();
        bytes
    }};
}

// SAFETY: the program has no other `main`, and this is the signature with which the C library calls
// it.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    step!(Lstm<1, 8>);
    step!(Lstm<1, 16>);
    step!(Lstm<1, 20>);
    step!(Lstm<1, 32>);
    let limited = step!(Lstm<1, 64>);
    step!(Lstm<1, 128>);
    step!(Gru<1, 64>);
    step!(LayerNormLstm<1, 64>);
    step!(Mamba<4, 16, 8, 2>);
    i32::from(limited > LIMIT)
}
