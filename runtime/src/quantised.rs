//! Cells whose matrices are stored in fewer bits, for inference (feature `quantised`).
//!
//! `cell.quantised::<Int8>()` copies a trained cell, from the library or your own, to a cell with
//! the same inputs, states and outputs that runs one step at a time. Its matrices are stored as
//! [`Int8`], in a quarter of the memory, or as [`Bf16`], in half of it. Vectors, scalars, states
//! and sums keep their type: products widen the entries in registers ("weight only, per channel":
//! Jacob et al. 2018, section 2, with a symmetric range, one scale per row, and activations that
//! are not quantised).
//!
//! [`Int8By16`] stores the integers of `Int8` and multiplies in integers, which suits
//! microcontrollers: a product rounds its right-hand side to 16 bits, with a scale that it finds in
//! the vector. Everything else of a step keeps its type, so any cell can be copied.
//!
//! ```
//! use rnn_cell::cells::Lstm;
//! use rnn_cell::prelude::*;
//! use rnn_cell::quantised::Int8;
//!
//! let lstm = Lstm::<3, 64>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
//! let small = lstm.quantised::<Int8>()?;
//! assert!(size_of_val(&small) * 3 < size_of_val(&lstm));
//!
//! let (mut state, mut exact) = (small.initial_state(), lstm.initial_state());
//! let x = SVector::<f32, 3>::new(0.1, 0.2, 0.3);
//! let (y, z) = (small.step(&x, &mut state), lstm.step(&x, &mut exact));
//! assert!((y - z).amax() < 1e-3);
//! # Ok::<(), rnn_cell::quantised::NotFinite>(())
//! ```
//!
//! A matrix is stored in fewer bits if a step only multiplies it by vectors from one side, or reads
//! its columns by index. The declaration decides what a matrix is: `[H, I]` is a matrix for all `H`
//! and `I`; `[H]` and `[H, 1]` are not. A matrix that is read in another way (entry by entry, or
//! both as `W @ x` and as `W.T @ y`) is not changed. Expressions of parameters alone are computed
//! before they are stored.
//!
//! [`Quantised`] writes such a cell as bytes, which a device reads or keeps in its flash memory.

use crate::cell::{ModelMut, Parameter, ParameterMut, Storage};
use crate::kernels::narrow;
use core::fmt;

pub use crate::kernels::narrow::{Bf16, Format, Int8, Int8By16};

/// The error for an entry of a matrix that is NaN, infinite, or too large for the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFinite;

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a matrix has an entry that is NaN, infinite or too large to be stored")
    }
}

impl core::error::Error for NotFinite {}

/// Rounds a model's matrices to the values that quantised copies of its cells store; everything
/// else is unchanged. The rounded model predicts what quantised cells would compute, also for whole
/// sequences, batches and networks.
///
/// The prediction leaves out two roundings. A matrix that a step computes from parameters alone
/// (`exp(A) @ h`, or `M.T @ w` with a one-hot `w`) is not rounded. With [`Int8By16`], right-hand
/// sides are not rounded, which has little effect compared with the rounding of the matrices. A
/// hand-written model chooses the matrices to round in
/// [`Block::visit_declared`](crate::types::blocks::Block::visit_declared).
///
/// # Errors
/// Returns an error if an entry cannot be stored. The model is then unchanged.
pub fn round<Q: Format>(model: &mut impl ModelMut) -> Result<(), NotFinite> {
    let is_transposed = |storage: Storage| match storage {
        Storage::Whole => None,
        Storage::ByRow => Some(false),
        Storage::ByColumn => Some(true),
    };
    let mut fits = true;
    let mut check = |Parameter { shape, values, .. }: Parameter<'_, '_, _>| {
        fits &= is_transposed(shape.storage)
            .is_none_or(|is_transposed| narrow::fits::<Q, _>(shape.size, is_transposed, values));
    };
    model.visit(&mut check);
    model.visit_buffers(&mut check);
    if !fits {
        return Err(NotFinite);
    }
    let mut round = |ParameterMut { shape, values, .. }: ParameterMut<'_, '_, _>| {
        if let Some(is_transposed) = is_transposed(shape.storage) {
            narrow::round::<Q, _>(shape.size, is_transposed, values);
        }
    };
    model.visit_mut(&mut round);
    model.visit_buffers_mut(&mut round);
    Ok(())
}

/// The contents of a quantised cell as bytes, little-endian: a host writes them, and a device reads
/// them from its flash memory. Both must use the same definition of the cell and the same version
/// of this crate, because the bytes do not describe themselves.
///
/// ```
/// use rnn_cell::cells::{Gru, GruQuantised};
/// use rnn_cell::prelude::*;
/// use rnn_cell::quantised::{Int8, Quantised};
///
/// let gru = Gru::<2, 16>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
/// let small = gru.quantised::<Int8>()?;
/// let mut flash = [0; GruQuantised::<2, 16, Int8>::BYTES];
/// small.write(&mut flash);
///
/// let mut device = GruQuantised::<2, 16, Int8>::zeros();
/// assert!(device.read(&flash));
/// assert_eq!(device, small);
/// # Ok::<(), rnn_cell::quantised::NotFinite>(())
/// ```
///
/// [`read`](Self::read) needs RAM for the copy. The function `from_bytes` of a copy is constant, so
/// that a `static` copy is part of the program and stays in flash memory:
///
/// ```
/// # use rnn_cell::cells::GruQuantised;
/// # use rnn_cell::quantised::{Int8, Quantised};
/// // In a program: `include_bytes!("gru.bytes")`.
/// const BYTES: &[u8] = &[0; GruQuantised::<2, 16, Int8>::BYTES];
///
/// static GRU: GruQuantised<2, 16, Int8> = GruQuantised::from_bytes(BYTES);
/// ```
pub trait Quantised {
    /// The number of bytes.
    const BYTES: usize;

    /// Writes the bytes. Returns `false` if `to` is shorter than [`BYTES`](Self::BYTES); its
    /// contents are then useless.
    fn write(&self, to: &mut [u8]) -> bool;

    /// Reads the bytes. Returns `false` if `from` is shorter than [`BYTES`](Self::BYTES); the cell
    /// is then unusable.
    fn read(&mut self, from: &[u8]) -> bool;
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use nalgebra::SVector;

    use super::*;
    use crate::cells::{Dense, Lstm};
    use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};
    use crate::rnn_cell;
    use crate::types::varying::Varying;

    rnn_cell! {
        /// A cell with matrices that are read in every way, in blocks, and one matrix that both the
        /// step and the initial state read.
        cell Ways<I, H> {
            input x: [I];
            state h: [H] = tanh(S @ b);
            param W: [H, H + I] = normal(0.5), D: [I, H] = normal(0.5);
            param S, A, E: [H, H] = normal(0.5);
            param b: [H] = 0.3;
            buffer K: [H, H] = normal(0.5);

            u = W @ [h[t-1], x] + D.T @ x + row_sum(S * (h[t-1] @ h[t-1].T));
            h = tanh(u + A @ h[t-1] + row_sum(exp(A)) + E @ h[t-1] - E.T @ u + K @ u);

            output h;
        }
    }

    fn generator() -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(7)
    }

    /// Compares a cell's copy with the rounded cell, not with a copy of it: a second rounding would
    /// hide entries that the first one missed.
    macro_rules! assert_rounded_is_stored {
        ($($format:ident: $cell:ident<$inputs:literal, $size:literal>;)+) => {$({
            let mut cell = $cell::<$inputs, $size, f64>::init(&mut generator());
            let copy = cell.quantised::<$format>().expect("finite weights");
            round::<$format>(&mut cell).expect("finite weights");
            let (mut state, mut own) = (cell.initial_state::<1>(), copy.initial_state::<1>());
            let mut rng = generator();
            for _ in 0..4 {
                let x = SVector::<f64, $inputs>::from_fn(|_, _| rng::normal(&mut rng));
                let difference = (cell.step(&x, &mut state) - copy.step(&x, &mut own)).amax();
                assert!(difference < 1e-13, "{}<{}, {}>: {difference:e}", stringify!($cell), $inputs, $size);
            }
            let mut numbers = [0.0; 2];
            state.scalars(&mut |x| numbers[0] += x * x);
            own.scalars(&mut |x| numbers[1] += x * x);
            assert!((numbers[0] - numbers[1]).abs() < 1e-12);
        })+};
    }

    #[test]
    fn rounding_gives_the_values_of_a_copy() {
        assert_rounded_is_stored! {
            Int8: Dense<16, 1>; Int8: Dense<1, 16>; Int8: Dense<1, 1>; Int8: Lstm<1, 16>; Int8: Lstm<16, 1>;
            Bf16: Dense<16, 1>; Bf16: Dense<1, 16>; Bf16: Dense<1, 1>; Bf16: Lstm<1, 16>; Bf16: Lstm<16, 1>;
            Int8: Ways<3, 5>; Int8: Ways<1, 4>; Int8: Ways<4, 1>; Int8: Ways<1, 1>;
            Bf16: Ways<3, 5>; Bf16: Ways<1, 4>; Bf16: Ways<4, 1>; Bf16: Ways<1, 1>;
        }
    }

    #[test]
    fn only_quantised_matrices_are_rounded() {
        let mut cell = Ways::<3, 5>::init(&mut generator());
        let before = cell.clone();
        round::<Int8>(&mut cell).expect("finite weights");
        assert_eq!((cell.S, cell.A, cell.E, cell.b), (before.S, before.A, before.E, before.b));
        assert!(cell.W != before.W && cell.D != before.D && cell.K != before.K);
        let scale = before.D.column(2).amax() / 127.0;
        for entry in cell.D.column(2).iter() {
            assert!((entry / scale - (entry / scale).round()).abs() < 1e-4, "{entry} in steps of {scale}");
        }
    }

    #[test]
    fn entries_that_do_not_fit_are_errors() {
        fn check<Q: Format>(place: fn(&mut Ways<1, 4>) -> &mut f32) {
            for bad in [f32::MAX, -f32::MAX, f32::INFINITY, f32::NAN] {
                let mut cell = Ways::<1, 4>::init(&mut generator());
                *place(&mut cell) = bad;
                let before = cell.b;
                assert_eq!(cell.quantised::<Q>().map(drop), Err(NotFinite), "{bad}");
                assert_eq!(round::<Q>(&mut cell), Err(NotFinite), "{bad}");
                assert_eq!((place(&mut cell).to_bits(), cell.b), (bad.to_bits(), before), "{bad}");
            }
        }
        check::<Int8>(|cell| &mut cell.W.right[2]);
        check::<Bf16>(|cell| &mut cell.W.right[2]);
        check::<Int8>(|cell| &mut cell.D[(0, 3)]);
        check::<Bf16>(|cell| &mut cell.K[(1, 1)]);
    }
}
