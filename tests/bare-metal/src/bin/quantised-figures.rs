//! Steps of cells in `f32` and of their quantised copies: prints instructions, stack in bytes, and
//! the largest difference of an output from `f32` in units of 1e-4. Also prints a checksum of
//! products in integers, which are the same on every processor. `tests/targets/run.sh quantised`
//! prints the table.

#![no_std]
#![no_main]

use bare_metal::{Text, number, platform, restart};
use core::ffi::{c_char, c_int};
use core::hint::black_box;
use core::mem::MaybeUninit;
use rnn_cell::cell::ModelMut;
use rnn_cell::cells::*;
use rnn_cell::prelude::*;
use rnn_cell::quantised::{Int8, Int8By16};

rnn_cell! {
    /// A cell of products alone.
    cell Linear<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];
        h = W @ x + 0.25 * (U @ h[t-1]);
        output h;
    }

    /// A cell that no library has.
    cell Own<I, H> {
        input x: [I];
        state h, m: [H];
        param W_a, W_b, W_c: [H, I];
        param U_a, U_b, U_c: [H, H];
        param b_a, b_b, b_c, p: [H] = 0.1;
        a = sigmoid(W_a @ x + U_a @ h[t-1] + p * m[t-1] + b_a);
        b = softplus(W_b @ x + U_b @ m[t-1] + b_b);
        c = W_c @ x + U_c @ (a * h[t-1]) + b_c;
        m = a * m[t-1] + (1 - a) * tanh(c);
        h = tanh(m) / (1 + b);
        output h;
    }
}

/// Returns a number between -1 and 1.
fn next() -> f32 {
    2.0 * number()
}

/// Fills the parameters with numbers as large as those of a trained cell.
fn fill<T: Scalar>(model: &mut impl ModelMut<Scalar = T>) {
    model.visit_mut(&mut |parameter| {
        let (_, columns) = parameter.shape.size;
        let scale = if columns > 1 { 1.7 / square_root(columns as f32) } else { 0.5 };
        parameter.values.fill_with(|| T::of(f64::from(scale * next())));
    });
}

fn square_root(x: f32) -> f32 {
    (0..8).fold(x, |root, _| 0.5 * (root + x / root))
}

/// The number of steps that are counted and averaged.
const STEPS: usize = 100;

/// Steps a cell and its copies, each in a function with the name of a symbol, so that its size can
/// be read from the program.
macro_rules! cell {
    ($name:ident $cell:ident $copy:ident $state:ident<$($size:literal),*>, $input:literal, $hidden:literal) => {{
        mod $name {
            use super::*;
            type X = SVector<f32, $input>;
            type Y = MaybeUninit<SVector<f32, $hidden>>;
            type State = $state<$($size),*>;
            // SAFETY: no other function has this name.
            #[unsafe(export_name = concat!(stringify!($name), "_f32"))]
            #[inline(never)]
            pub fn f32(cell: &$cell<$input, $hidden>, x: &X, state: &mut State, y: &mut Y) {
                y.write(cell.step(x, state));
            }
            // SAFETY: no other function has this name.
            #[unsafe(export_name = concat!(stringify!($name), "_int8"))]
            #[inline(never)]
            pub fn int8(cell: &$copy<$input, $hidden, Int8>, x: &X, state: &mut State, y: &mut Y) {
                y.write(cell.step(x, state));
            }
            // SAFETY: no other function has this name.
            #[unsafe(export_name = concat!(stringify!($name), "_int8_by_16"))]
            #[inline(never)]
            pub fn int8_by_16(cell: &$copy<$input, $hidden, Int8By16>, x: &X, state: &mut State, y: &mut Y) {
                y.write(cell.step(x, state));
            }
        }
        #[inline(never)]
        fn measured() {
            let mut cell = $cell::<$input, $hidden>::zeros();
            restart();
            fill(&mut cell);
            let (Ok(int8), Ok(int8_by_16)) = (cell.quantised::<Int8>(), cell.quantised::<Int8By16>()) else { return };
            let mut states = [cell.zero_state(), cell.zero_state(), cell.zero_state()];
            let mut errors = [0.0f32; 2];
            for _ in 0..64 {
                let x = SVector::<f32, $input>::from_fn(|_, _| next());
                let [a, b, c] = &mut states;
                let (y, own) = (cell.step(&x, a), [int8.step(&x, b), int8_by_16.step(&x, c)]);
                for (entry, y) in y.iter().enumerate() {
                    for (error, own) in errors.iter_mut().zip(&own) {
                        let off = own.as_slice().get(entry).map_or(f32::NAN, |own| (own - y).abs());
                        *error = if off <= *error { *error } else { off };
                    }
                }
            }
            let x = SVector::<f32, $input>::from_fn(|_, _| next());
            let mut y = MaybeUninit::uninit();
            macro_rules! measure {
                ($kind:ident $own:ident $error:expr) => {{
                    let mut state = $own.zero_state();
                    let mut step = || $name::$kind(black_box(&$own), black_box(&x), &mut state, &mut y);
                    let stack = platform::stack(&mut step);
                    let count = platform::instructions(&mut || (0..STEPS).for_each(|_| step())) / STEPS;
                    Text::new()
                        .str(concat!(stringify!($name), "_", stringify!($kind)))
                        .integer(count)
                        .integer(stack)
                        .integer((1e4 * $error) as usize)
                        .end();
                }};
            }
            measure!(f32 cell 0.0);
            measure!(int8 int8 errors[0]);
            measure!(int8_by_16 int8_by_16 errors[1]);
        }
        measured();
    }};
}

/// Returns a checksum of products in integers, for matrices with and without whole panels, groups
/// and chunks.
fn checksum() -> u32 {
    let mut sum = 1u32;
    macro_rules! products {
        ($input:literal, $hidden:literal, $scalar:ident) => {{
            #[inline(never)]
            fn of_size(sum: &mut u32) {
                let mut cell = Linear::<$input, $hidden, $scalar>::zeros();
                restart();
                fill(&mut cell);
                let Ok(copy) = cell.quantised::<Int8By16>() else { return };
                let mut state = copy.zero_state();
                for _ in 0..4 {
                    let x = SVector::<$scalar, $input>::from_fn(|_, _| next().into());
                    for y in copy.step(&x, &mut state).iter() {
                        *sum = (*sum ^ (*y as f32).to_bits()).wrapping_mul(16_777_619);
                    }
                }
            }
            of_size(&mut sum);
        }};
    }
    products!(1, 16, f32);
    products!(6, 7, f32);
    products!(300, 33, f32);
    products!(6, 13, f64);
    sum
}

// SAFETY: the program has no other `main`, and this is the signature with which the C library calls
// it.
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    Text::new().str("checksum").integer(checksum() as usize).end();
    cell!(lstm_1_16 Lstm LstmQuantised LstmState<16>, 1, 16);
    cell!(lstm_16_32 Lstm LstmQuantised LstmState<32>, 16, 32);
    cell!(lstm_64_64 Lstm LstmQuantised LstmState<64>, 64, 64);
    cell!(gru_1_16 Gru GruQuantised GruState<16>, 1, 16);
    cell!(gru_16_32 Gru GruQuantised GruState<32>, 16, 32);
    cell!(gru_64_64 Gru GruQuantised GruState<64>, 64, 64);
    cell!(peephole_16_32 PeepholeLstm PeepholeLstmQuantised PeepholeLstmState<32>, 16, 32);
    cell!(own_16_32 Own OwnQuantised OwnState<32>, 16, 32);
    0
}
