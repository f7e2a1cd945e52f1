//! Recurrent cells on bare metal, without `std`, allocator or panics. Reads parameters from bytes
//! and compares the outputs with PyTorch's.
//!
//! Exits with 0 if all cells agree, otherwise with the number of the first cell that does not,
//! counted from 1.

#![no_std]
#![no_main]

use bare_metal::Flash;
use rnn_cell::cells::*;
use rnn_cell::types::varying::Varying;

// The budgets of a device, checked at compile time.
const FLASH: usize = 2 * 1024;
const RAM: usize = 64;
const FLOPS: usize = 500;
const _: () = assert!(Lstm::<3, 5>::PARAMETER_COUNT * size_of::<f32>() <= FLASH);
const _: () = assert!(Lstm::<3, 5>::STATE_BYTES <= RAM);
const _: () = assert!(Lstm::<3, 5>::FLOPS_PER_STEP <= FLOPS);

/// The number of steps of a case.
const STEPS: usize = 7;

/// The tolerance of single precision, since the reference was computed in double precision.
const TOLERANCE: f32 = 1e-6;

/// Runs a case by `step` of the cell and of a prepared handle, whose outputs must be equal.
macro_rules! agrees {
    ($cell:ty, $state:ident, $bytes:literal) => {{
        let mut flash = Flash::new(include_bytes!($bytes));
        let mut cell = <$cell>::zeros();
        flash.parameters(&mut cell);
        let mut state: $state<5> = flash.value();
        let mut state_of_handle = state.clone();
        let handle = cell.prepare();
        let xs: [_; STEPS] = core::array::from_fn(|_| flash.value());
        let mut error = 0.0;
        for x in &xs {
            let y = cell.step(x, &mut state);
            y.scalars(&mut |y: f32| {
                let off = (y - flash.number()).abs();
                // `f32::max` would drop a NaN.
                if !(off <= error) {
                    error = off;
                }
            });
            if handle.step(x, &mut state_of_handle) != y {
                error = f32::INFINITY;
            }
        }
        error <= TOLERANCE && flash.is_read()
    }};
}

// SAFETY: the program has no other `main`, and this is the signature with which the C library calls
// it.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let cases = [
        agrees!(Lstm<3, 5>, LstmState, "../../golden/lstm.f32"),
        agrees!(PeepholeLstm<3, 5>, PeepholeLstmState, "../../golden/lstm_peephole.f32"),
        agrees!(GruResetAfter<3, 5>, GruResetAfterState, "../../golden/gru_torch.f32"),
        agrees!(Mgu<3, 5>, MguState, "../../golden/mgu.f32"),
    ];
    #[cfg(feature = "with-a-panic")]
    if cases[core::hint::black_box(0)] {
        return 0;
    }
    match cases.iter().position(|agrees| !agrees) {
        Some(place) => place as i32 + 1,
        None => 0,
    }
}
