//! Steps of cells on a target: prints instructions, stack and the size of the state.
//!
//! `figures CELL STEPS` runs steps of one cell, for an emulator or a clock outside of the program
//! that counts them. `tests/targets/run.sh table` prints the table.

#![no_std]
#![no_main]

use bare_metal::{Text, any, fill, platform};
use core::ffi::{c_char, c_int};
use core::hint::black_box;
use core::mem::MaybeUninit;
use rnn_cell::cells::*;
use rnn_cell::nalgebra::SVector;

/// The number of steps that are counted and averaged.
const STEPS: usize = 100;

/// The steps as functions with the names of symbols, and a table of them.
macro_rules! cells {
    ($($name:ident $cell:ident $state:ident<$input:literal, $hidden:literal>,)+) => {
        $(
            // SAFETY: no other function has this name.
            #[unsafe(no_mangle)]
            #[inline(never)]
            fn $name(
                cell: &$cell<$input, $hidden>,
                x: &SVector<f32, $input>,
                state: &mut $state<$hidden>,
                y: &mut MaybeUninit<SVector<f32, $hidden>>,
            ) {
                y.write(cell.step(x, state));
            }
        )+

        /// Prints the figures of all cells, or runs `steps` of cell number `only`.
        fn run(only: Option<(usize, usize)>) {
            let mut number = 0;
            $({
                #[inline(never)]
                fn all(steps: Option<usize>) {
                    let mut cell = $cell::<$input, $hidden>::zeros();
                    fill(&mut cell);
                    let (x, mut state, mut y) = (any(), cell.initial_state::<1>(), MaybeUninit::uninit());
                    let mut step = || $name(black_box(&cell), black_box(&x), black_box(&mut state), &mut y);
                    if let Some(steps) = steps {
                        (0..steps).for_each(|_| step());
                        return;
                    }
                    let stack = platform::stack(&mut step);
                    let instructions = platform::instructions(&mut || (0..STEPS).for_each(|_| step())) / STEPS;
                    Text::new()
                        .str(stringify!($name))
                        .integer(instructions)
                        .integer(stack)
                        .integer($cell::<$input, $hidden>::STATE_BYTES)
                        .end();
                }
                match only {
                    None => all(None),
                    Some((only, steps)) if only == number => all(Some(steps)),
                    _ => {}
                }
                number += 1;
            })+
            let _ = number;
        }
    };
}

cells! {
    lstm_1_16 Lstm LstmState<1, 16>,
    lstm_16_32 Lstm LstmState<16, 32>,
    lstm_64_64 Lstm LstmState<64, 64>,
    gru_1_16 Gru GruState<1, 16>,
    gru_16_32 Gru GruState<16, 32>,
    gru_64_64 Gru GruState<64, 64>,
}

/// Runs steps of one cell.
// SAFETY: no other function has this name.
#[unsafe(no_mangle)]
extern "C" fn steps(cell: usize, count: usize) {
    run(Some((cell, count)));
}

/// Parses a number.
///
/// # Safety
/// The text ends in a zero.
unsafe fn number(text: *const c_char) -> usize {
    let (mut number, mut at) = (0usize, text.cast::<u8>());
    // SAFETY: guaranteed by the caller.
    unsafe {
        while *at != 0 {
            number = number.wrapping_mul(10).wrapping_add(usize::from(at.read().wrapping_sub(b'0')));
            at = at.add(1);
        }
    }
    number
}

// SAFETY: the program has no other `main`, and this is the signature with which the C library calls
// it.
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    if count == 3 {
        // SAFETY: there are three texts.
        unsafe { steps(number(*arguments.add(1)), number(*arguments.add(2))) };
    } else {
        run(None);
    }
    0
}
