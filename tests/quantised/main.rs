//! Quantised copies compute the same as cells whose matrices are rounded in the same way, and have
//! the documented sizes. Products in integers are compared with plain integers, to the bit.

#![allow(missing_docs)]

use allocation_counter::measure;
use rnn_cell::cells::*;
use rnn_cell::data::pad;
use rnn_cell::prelude::*;
use rnn_cell::quantised::{Bf16, Format, Int8, Int8By16, NotFinite, Quantised, round};
use rnn_cell::rng::normal;
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::train::{LayerPart, Trainer};
use rnn_cell::types::varying::Varying;
use std::hint::black_box;
use std::panic::catch_unwind;
use tests::exactness::{random, random_sequence, rng};

rnn_cell! {
    /// A cell with features that the library's cells lack: a matrix that is only read transposed, a
    /// matrix that is read both ways, a matrix that is read entry by entry, blocks, an index, and a
    /// learned initial state.
    pub cell Everything<I, H, V> {
        input  x: [I], w: one_hot[V];
        state  h: [H] = tanh(W_0 @ b);
        param  W: [H, H + I];
        param  E: [H, V] = normal(0.3);
        param  U: [H, H];
        param  D: [I, H];
        param  S: [H, H];
        param  W_0: [H, H];
        param  b: [H] = 0.3;
        param  gain: [] = 0.9;
        buffer A: [H, H] = normal(0.2);

        u = tanh(W @ [h[t-1], x] + E @ w + b);
        v = U @ u + U.T @ (A @ h[t-1]);
        h = gain * tanh(v + D.T @ x + row_sum(S * (u @ v.T)));

        output h;
    }
}

rnn_cell! {
    /// A cell whose heads each have matrices and a vector.
    pub cell Heads<I, D, K> {
        input x: [I];
        heads K {
            state h: [D];
            param W: [D, I] = normal(0.3), U: [D, D] = normal(0.3), b: [D] = 0.3;
            h = tanh(W @ x + U @ h[t-1] + b);
        }
        output h;
    }
}

/// Returns the largest difference of the scalars of two values.
fn difference<V: Varying<f64>>(a: &V, b: &V) -> f64 {
    let (mut all, mut worst) = (vec![], 0.0f64);
    a.scalars(&mut |x| all.push(x));
    let mut all = all.into_iter();
    b.scalars(&mut |y| {
        let off = (all.next().expect("as many scalars") - y).abs();
        // `f64::max` would drop a NaN.
        if off > worst || off.is_nan() {
            worst = off;
        }
    });
    worst
}

/// The largest difference that another order of summation may cause.
const NEAR: f64 = 1e-12;

macro_rules! agrees {
    ($format:ident $batch:literal: $($cell:ident <$($size:literal),+> $(in $context:ident)?;)+) => {$({
        let mut cell = $cell::<$($size),+, f64>::init(&mut rng(1));
        let copy = cell.quantised::<$format>().expect("finite weights");
        round::<$format>(&mut cell).expect("finite weights");
        $(let $context = random(&mut rng(2));)?
        let mut state = agrees!(@initial_state cell $batch $($context)?);
        let mut own = agrees!(@initial_state copy $batch $($context)?);
        assert!(difference(&state, &own) <= NEAR, "{}", stringify!($cell));
        for x in random_sequence(&mut rng(3), 4) {
            let y = cell.step(agrees!(@reads x $($context)?), &mut state);
            let of_copy = copy.step(agrees!(@reads x $($context)?), &mut own);
            let off = difference(&y, &of_copy).max(difference(&state, &own));
            assert!(off <= NEAR, "{}: {off:e}", stringify!($cell));
        }
    })+};
    (@initial_state $cell:ident $batch:literal) => { $cell.initial_state::<$batch>() };
    (@initial_state $cell:ident $batch:literal $context:ident) => { $cell.initial_state_with::<$batch>(&$context) };
    (@reads $x:ident) => { &$x };
    (@reads $x:ident $context:ident) => { (&$x, &$context) };
}

#[test]
fn copies_agree_with_rounded_cells() {
    agrees! { Int8 1:
        Lstm<3, 20>; Gru<3, 66>; LayerNormLstm<3, 5>; InitialStateLstm<3, 9>; Dense<7, 5>;
    }
    agrees! { Bf16 1:
        Lstm<3, 20>; GruResetAfter<3, 16>; Mamba<3, 5, 7, 2>; S4d<3, 6>; RwkvTimeMixing<7>;
    }
    agrees! { Bf16 3:
        Lstm<3, 20>; LuongGeneralDecoder<5, 3, 7, 9, 5> in context; BahdanauDecoder<5, 3, 7, 9, 3, 5, 9> in context;
    }
}

#[test]
fn matrices_are_read_in_every_way() {
    fn check<Q: Format>() {
        let mut cell = Everything::<3, 18, 5, f64>::init(&mut rng(1));
        let copy = cell.quantised::<Q>().expect("finite weights");
        round::<Q>(&mut cell).expect("finite weights");
        let (mut state, mut own) = (cell.initial_state(), copy.initial_state());
        for (step, x) in random_sequence::<EverythingInput<3, 1, f64>>(&mut rng(2), 6).into_iter().enumerate()
        {
            // The last index is out of range and reads zeros.
            let x = EverythingInput { w: [step as u32], ..x };
            let off = difference(&cell.step(&x, &mut state), &copy.step(&x, &mut own));
            assert!(off <= NEAR, "step {step}: {off:e}");
        }
    }
    check::<Bf16>();
    check::<Int8>();
}

/// Returns random inputs of a sequence, with numbers like those of `random_sequence`.
fn inputs<V: Varying<f32>>(steps: usize) -> Vec<V> {
    let mut rng = rng(2);
    let input = |_| {
        let mut input = V::zero();
        input.scalars_mut(&mut |x| *x = normal(&mut rng) as f32);
        input
    };
    (0..steps).map(input).collect()
}

rnn_cell! {
    /// Products alone: in blocks, transposed, with a state.
    cell Products<I, H> {
        input  x: [I];
        state  h: [H];
        param  W: [H, H + I] = normal(0.3), D: [I, H] = normal(0.3);
        h = W @ [h[t-1], x];
        back = D.T @ x;
        output h, back;
    }
}

/// Computes `W x` in plain integers: rows in steps of a 127th of their largest entry, the vector in
/// steps of a 32767th, 128 entries at a time. `row(r)` is a row of `W`.
fn integer_product(rows: usize, row: impl Fn(usize) -> Vec<f32>, x: &[f32], mut y: Vec<f32>) -> Vec<f32> {
    for (index, y) in (0..rows).zip(&mut y) {
        let row = row(index);
        let scale = (row.iter().fold(0.0f64, |most, w| most.max(f64::from(w.abs()))) / 127.0) as f32;
        let whole = |w: &f32| (f64::from(*w) / f64::from(scale)).round_ties_even() as i64;
        for (row, x) in row.chunks(128).zip(x.chunks(128)) {
            let most = x.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            let rounded = x.iter().map(|x| (x * (32767.0 / most)).round_ties_even() as i64);
            let sum: i64 = row.iter().map(whole).zip(rounded).map(|(w, x)| w * x).sum();
            *y += (sum as f32) * (scale * (most / 32767.0));
        }
    }
    y
}

#[test]
fn integer_products_have_the_bits_of_plain_integers() {
    fn check<const I: usize, const H: usize>() {
        let cell = Products::<I, H>::init_boxed(&mut rng(1));
        let copy = cell.quantised_boxed::<Int8By16>().expect("finite weights");
        let mut state = copy.initial_state::<2>();
        let mut h = [vec![0.0; H], vec![0.0; H]];
        for mut x in inputs::<SMatrix<f32, I, 2>>(5) {
            // Entries of different sizes.
            x.column_mut(0).iter_mut().enumerate().for_each(|(place, x)| *x *= [1.0, 1e-3, 37.5][place % 3]);
            let y = copy.step(&x, &mut state);
            for (sample, h) in h.iter_mut().enumerate() {
                let own = x.column(sample).into_owned();
                let (left, right) = (&cell.W.left, &cell.W.right);
                // A sum with -0 is the other number.
                let zeros = vec![-0.0; H];
                let sum = integer_product(H, |r| left.row(r).iter().copied().collect(), h, zeros.clone());
                let sum = integer_product(H, |r| right.row(r).iter().copied().collect(), own.as_slice(), sum);
                let back =
                    integer_product(H, |r| cell.D.column(r).iter().copied().collect(), own.as_slice(), zeros);
                assert_eq!(y.h.column(sample).as_slice(), sum, "({I}, {H})");
                assert_eq!(y.back.column(sample).as_slice(), back, "({I}, {H})");
                *h = sum;
            }
        }
    }
    check::<1, 16>();
    check::<3, 7>();
    check::<140, 33>();
    check::<4, 134>();
}

#[test]
fn integer_products_are_near_those_of_rounded_cells() {
    macro_rules! near {
        ($($cell:ident <$($size:literal),+>;)+) => {$({
            let mut cell = $cell::<$($size),+, f64>::init(&mut rng(1));
            let copy = cell.quantised::<Int8By16>().expect("finite weights");
            let bytes = cell.quantised::<Int8>().expect("finite weights");
            round::<Int8By16>(&mut cell).expect("finite weights");
            let (mut state, mut own, mut of_bytes) = (cell.initial_state::<1>(), copy.initial_state::<1>(), bytes.initial_state::<1>());
            let (mut off, mut of_bytes_off) = (0.0f64, 0.0f64);
            for x in random_sequence(&mut rng(3), 40) {
                let y = cell.step(&x, &mut state);
                off = off.max(difference(&y, &copy.step(&x, &mut own)));
                of_bytes_off = of_bytes_off.max(difference(&y, &bytes.step(&x, &mut of_bytes)));
            }
            assert!(off > 0.0 && off < 2e-4, "{}: {off:e}", stringify!($cell));
            assert!(of_bytes_off <= NEAR, "{}: {of_bytes_off:e}", stringify!($cell));
        })+};
    }
    near! {
        Lstm<3, 20>; Gru<3, 66>; PeepholeLstm<16, 32>; LayerNormLstm<3, 5>; Dense<7, 5>; RwkvTimeMixing<7>;
        Mamba<3, 5, 7, 2>;
    }
}

/// Nearly all of the error is that of matrices in 8 bits.
#[test]
fn outputs_in_integers_are_near_those_in_f32() {
    fn check<const I: usize, const H: usize>() {
        let (mut worst, mut squares, mut count, mut of_integers) = (0.0f32, 0.0f64, 0, 0.0f32);
        for seed in 0..8 {
            let lstm = Lstm::<I, H>::init_boxed(&mut rng(seed));
            let copy = lstm.quantised_boxed::<Int8By16>().unwrap();
            let bytes = lstm.quantised_boxed::<Int8>().unwrap();
            let mut states = [0; 3].map(|_| lstm.zero_state::<1>());
            for x in inputs::<SVector<f32, I>>(100) {
                let y = lstm.step(&x, &mut states[0]);
                let (own, of_bytes) = (copy.step(&x, &mut states[1]), bytes.step(&x, &mut states[2]));
                worst = worst.max((own - y).amax());
                of_integers = of_integers.max((own - of_bytes).amax());
                squares += f64::from((own - y).norm_squared());
                count += H;
            }
        }
        let mean = (squares / count as f64).sqrt();
        println!(
            "LSTM ({I}, {H}): errors of outputs {mean:.1e} (root mean square), {worst:.1e} at most, of integers alone {of_integers:.1e}"
        );
        assert!(mean < 0.004 && worst < 0.03 && of_integers < 3e-4);
    }
    check::<1, 16>();
    check::<16, 32>();
    check::<64, 64>();
}

#[test]
fn an_infinite_input_makes_products_in_integers_nan() {
    let lstm = Lstm::<3, 20>::init(&mut rng(1)).quantised::<Int8By16>().expect("finite weights");
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let y = lstm.step(&SVector::<f32, 3>::new(0.1, bad, 0.2), &mut lstm.initial_state());
        assert!(y.iter().all(|y| y.is_nan()), "{bad}: {y}");
    }
}

#[test]
fn sizes_are_as_documented() {
    assert_eq!(size_of::<Lstm<128, 128>>(), 526_336);
    assert_eq!(size_of::<LstmQuantised<128, 128, Bf16>>(), 264_192);
    assert_eq!(size_of::<LstmQuantised<128, 128, Int8>>(), 137_216);
    assert_eq!(size_of::<LstmQuantised<128, 128, Int8By16>>(), 137_216);
    // One byte per entry and one scale per row of the eight matrices, and four vectors.
    assert_eq!(LstmQuantised::<128, 128, Int8>::BYTES, 8 * 128 * 128 + 4 * 8 * 128 + 4 * 4 * 128);
    assert_eq!(LstmQuantised::<1, 5, Bf16>::BYTES, 2 * 4 * (5 + 25) + 4 * 4 * 5);
}

#[test]
fn steps_allocate_nothing() {
    let lstm = Lstm::<3, 70>::init_boxed(&mut rng(1));
    let (small, halves) = (lstm.quantised::<Int8>().unwrap(), lstm.quantised::<Bf16>().unwrap());
    let integers = lstm.quantised::<Int8By16>().unwrap();
    let decoder = LuongGeneralDecoder::<5, 3, 7, 9, 5, f64>::init(&mut rng(1));
    let decoder = decoder.quantised::<Int8>().unwrap();
    let context = random(&mut rng(2));
    let mut decoding = decoder.initial_state_with(&context);
    let info = measure(|| {
        let mut state = small.initial_state();
        black_box(small.step(&SVector::<f32, 3>::repeat(0.1), &mut state));
        black_box(halves.step(&SVector::<f32, 3>::repeat(0.1), &mut state));
        black_box(integers.step(&SVector::<f32, 3>::repeat(0.1), &mut state));
        let mut state = small.zero_state();
        black_box(small.step(&SMatrix::<f32, 3, 5>::repeat(0.1), &mut state));
        black_box(decoder.prepare::<1>(&context).step(&[1], &mut decoding));
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn copies_can_be_written_and_read() {
    fn check<Q: Format>() {
        let gru = Gru::<3, 17>::init(&mut rng(1));
        let copy = gru.quantised_boxed::<Q>().expect("finite weights");
        let mut bytes = vec![0; GruQuantised::<3, 17, Q>::BYTES];
        assert!(copy.write(&mut bytes));
        let mut other = GruQuantised::<3, 17, Q>::zeros();
        assert!(!other.read(&bytes[1..]) && !copy.write(&mut bytes[1..]));
        assert!(copy.write(&mut bytes) && other.read(&bytes));
        assert_eq!(other, *copy);
        assert_eq!(GruQuantised::from_bytes(&bytes), *copy);
    }
    check::<Int8>();
    check::<Bf16>();
    check::<Int8By16>();
}

#[test]
fn copies_are_made_from_bytes() {
    /// Checks a copy whose matrices have padding, in arrays and as fields.
    macro_rules! is_made {
        ($($cell:ident $copy:ident<$($size:literal),+>, $format:ident, $scalar:ident;)+) => {$({
            let cell = $cell::<$($size,)+ $scalar>::init(&mut rng(1));
            let copy = cell.quantised::<$format>().expect("finite weights");
            let mut bytes = vec![0; $copy::<$($size,)+ $format, $scalar>::BYTES];
            assert!(copy.write(&mut bytes));
            assert_eq!($copy::from_bytes(&bytes), copy);
        })+};
    }
    is_made! {
        Heads HeadsQuantised<3, 5, 3>, Int8, f32;
        Heads HeadsQuantised<3, 5, 3>, Bf16, f64;
        Everything EverythingQuantised<3, 17, 5>, Int8By16, f64;
        Everything EverythingQuantised<3, 17, 5>, Bf16, f32;
    }
    // In a constant.
    const ONE: DenseQuantised<1, 1, Bf16> = DenseQuantised::from_bytes(&[0x80, 0x3f, 0, 0, 0, 0x40]);
    let dense = ONE.step(&SVector::<f32, 1>::repeat(3.0), &mut ONE.zero_state());
    assert_eq!(dense[0], 5.0);
    for length in [0, 5, 7] {
        let bytes = &[0; 7][..length];
        assert!(catch_unwind(|| DenseQuantised::<1, 1, Bf16>::from_bytes(bytes)).is_err(), "{length} bytes");
    }
}

#[test]
fn values_that_are_not_finite_are_refused() {
    let mut gru = Gru::<3, 17>::init(&mut rng(1));
    let name = gru.quantised::<Int8>().map(drop);
    assert_eq!(name, Ok(()));
    gru.visit_mut(&mut |parameter| parameter.values[0] = f32::NAN);
    assert_eq!(gru.quantised::<Int8>().map(drop), Err(NotFinite));
    assert_eq!(gru.quantised_boxed::<Bf16>().map(drop), Err(NotFinite));
    assert_eq!(gru.quantised::<Int8By16>().map(drop), Err(NotFinite));
    let mut last = Gru::<3, 17>::init(&mut rng(1));
    last.U_h[(0, 0)] = f32::INFINITY;
    let before = last.clone();
    assert_eq!(round::<Bf16>(&mut last), Err(NotFinite));
    assert_eq!(last, before, "no entry may be rounded after an error");
}

/// Straight-through training: gradients at the rounded weights move the exact ones.
#[test]
fn weights_are_rounded_for_gradients_and_evaluation_alone() {
    type Net = Elman<2, 3, f64>;
    type Steps = Vec<SVector<f64, 2>>;

    fn loss(part: &mut LayerPart<'_, Net, Steps, 2>) -> f64 {
        let batch = pad(part.samples);
        part.sequence(&batch, |out| {
            out.every_step(|_, y, weights| mean_squared_error_weighted(y, &SMatrix::repeat(0.5), weights))
        })
    }

    let net = || Net::init(&mut rng(1));
    let samples: Vec<Steps> = (0..2).map(|seed| random_sequence(&mut rng(seed), 4)).collect();
    let mut trainer = Trainer::new::<2>(net(), Sgd::new(0.1)).round_weights::<Int8>();
    trainer.fit(&samples, loss).in_order().run().unwrap();

    let mut rounded = net();
    round::<Int8>(&mut rounded).unwrap();
    assert_ne!(rounded, net());
    let mut at_rounded = Trainer::new::<2>(rounded, Sgd::new(0.1));
    at_rounded.fit(&samples, loss).in_order().run().unwrap();
    let mut exact = net();
    Sgd::new(0.1).step(&mut exact, at_rounded.gradients());
    assert_eq!(trainer.model, exact);

    let scores = trainer.evaluate(&samples, loss);
    assert_eq!(trainer.model, exact);
    round::<Int8>(&mut exact).unwrap();
    assert_eq!(scores, Trainer::new::<2>(exact, Sgd::new(0.1)).evaluate(&samples, loss));
}
