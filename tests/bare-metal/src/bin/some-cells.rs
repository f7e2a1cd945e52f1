//! The same as `panic-free` for a few cells, which compiles in a fraction of the time.

#![no_std]
#![no_main]

use bare_metal::{any, of_format, steps};
use rnn_cell::cells::*;
use rnn_cell::quantised::Int8;

// SAFETY: the program has no other `main`, and this is the signature with which the C library calls
// it.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let finite = [
        steps!(Lstm <4, 16> <3, 7> <1, 64>),
        steps!(Gru <4, 16> <3, 7>),
        steps!(Mamba <3, 5, 7, 1>),
        of_format!(Int8 Lstm<3, 20>, any()),
    ];
    if finite.iter().all(|finite| *finite) { 0 } else { 1 }
}
