//! State spaces, Mamba, RWKV and cells whose gates do not read their state. Each is compared with
//! plain reference code, which is not a recurrence wherever there is another form, or tested for
//! its defining property. Each also passes the gradient check and the properties that every cell
//! must have.

#![allow(missing_docs)]

mod reference;

use nalgebra::{Complex, SMatrix, SVector};
use reference::{Sequence, column, convolve, matrix, row, sigmoid, silu, softplus, times};
use rnn_cell::cells::*;
use rnn_cell::inspect::gradcheck::{Checked, gradcheck};
use rnn_cell::prelude::*;
use rnn_cell::types::heads::HeadCols;
use tests::exactness::{
    all_scalars, assert_close, check, forward_and_backward, ragged_batches_are_their_samples, random,
    random_sequence, rng,
};

rnn_cell! {
    /// A cell with delays of every kind: of a computed value, of a delay, of a matrix, and of a
    /// value that the recurrence reads in the same step. The state `late` comes after the
    /// recurrence and is a delay too.
    pub cell Delays<I, H> {
        input x: [I];
        state a, b, h, late: [H];
        state M: [H, H];
        param W, V: [H, I];
        param U: [H, H];
        param k: [H] = normal(0.5);

        a = tanh(W @ x);
        b = a[t-1] * k + U @ a[t-1];
        M = a @ b[t-1].T + b @ k.T;
        h = sigmoid(M[t-1] @ a + V @ x) * h[t-1] + U @ b[t-1];
        late = U @ h;
        y = late[t-1] + a[t-1] * b;

        output y, M;
    }
}

const STEPS: usize = 60;

/// Checks the gradients and the general properties at batch 1 and 3, and a ragged batch.
macro_rules! verify {
    ($cell:ident [$($size:literal),+]) => { verify!($cell [$($size),+], |_| {}) };
    ($cell:ident [$($size:literal),+], $adapt:expr) => {
        let mut cell = $cell::<$($size,)+ f64>::init(&mut rng(1));
        verify::<1, _>(&mut cell, $adapt);
        verify::<3, _>(&mut cell, $adapt);
        ragged_batches_are_their_samples(&cell, [5, 2, 0], 3);
    };
}

mod properties;

fn verify<const B: usize, L>(cell: &mut L, adapt: impl Fn(&mut L::State))
where
    L: Cell<B> + Checked<B> + Layer<B, Context = ()>,
{
    let mut rng = rng(2024);
    let mut state: L::State = random(&mut rng);
    adapt(&mut state);
    let xs: Vec<L::Input> = random_sequence(&mut rng, 6);
    gradcheck::<_, B>(cell, &xs, &state).assert_ok();
    check(cell, Pass::of(&xs), &state, 7);
}

/// Runs a cell over random inputs from its initial state. Returns the inputs and the outputs, one
/// row per step.
fn outputs<const I: usize, const O: usize, L>(cell: &L) -> (Sequence, Sequence)
where
    L: Layer<1, Scalar = f64, Context = (), Input = SVector<f64, I>, Output = SVector<f64, O>>,
{
    let xs: Vec<SVector<f64, I>> = random_sequence(&mut rng(5), STEPS);
    let (mut state, mut tape) = (cell.initial_state(), cell.tape());
    let ys = all_scalars(cell.forward(&xs, &mut state, &mut tape));
    let rows = |values: &[f64], n: usize| values.chunks(n).map(<[f64]>::to_vec).collect();
    (rows(&all_scalars(&xs), I), rows(&ys, O))
}

#[track_caller]
fn assert_same(what: &str, got: &Sequence, want: &Sequence) {
    assert_close(what, &got.concat(), &want.concat(), 1e-12);
}

#[test]
fn gradients_of_state_spaces() {
    verify!(DiagonalSsm[2, 3, 2]);
    verify!(S4dReal[2, 3]);
    verify!(S4d[2, 3]);
    verify!(S4dBilinear[2, 3]);
}

#[test]
fn gradients_of_selective_state_spaces() {
    verify!(SelectiveSsm[3, 4, 2]);
    verify!(Mamba[2, 3, 4, 1]);
}

#[test]
fn gradients_of_rwkv() {
    // Sums of exponentials are positive.
    verify!(RwkvTimeMixing[3], |state| state.denominator.iter_mut().for_each(|sum| *sum = sum.abs() + 0.5));
    verify!(RwkvChannelMixing[3, 5]);
}

#[test]
fn gradients_of_quasi_recurrent_cells() {
    verify!(Sru[3]);
    verify!(Qrnn[2, 3, 1]);
    verify!(Qrnn[2, 3, 4]);
    verify!(MinGru[2, 3]);
    verify!(MinLstm[2, 3]);
}

#[test]
fn delays_of_every_kind() {
    verify!(Delays[2, 3]);
    let cell = Delays::<2, 3, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&cell, [100, 86, 85, 84, 43, 1, 0], 5);
}

/// Delays are computed in chunks of steps. The samples end at all positions relative to the chunks.
#[test]
fn chunks_of_delayed_values() {
    let qrnn = Qrnn::<2, 3, 3, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&qrnn, [300, 257, 256, 255, 130, 1, 0, 86], 5);
    let mamba = Mamba::<2, 3, 4, 1, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&mamba, [300, 257, 256, 255, 130, 1, 2, 86], 5);
    let channels = RwkvChannelMixing::<2, 3, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&channels, [200, 0, 171, 170], 5);
}

/// `run`, whose chunks are short, agrees with `step`.
#[test]
fn running_and_stepping() {
    let cell = Mamba::<2, 4, 3, 2, f64>::init(&mut rng(1));
    let xs: Vec<SMatrix<f64, 2, 3>> = random_sequence(&mut rng(2), 100);
    let (mut one, mut other) = (cell.zero_state(), cell.zero_state());
    let run = all_scalars(&cell.run(&xs, &mut one));
    let steps: Vec<_> = xs.iter().map(|x| cell.step(x, &mut other)).collect();
    assert_close("outputs of run", &run, &all_scalars(&steps), 1e-12);
    assert_close("state of run", &all_scalars([&one]), &all_scalars([&other]), 1e-12);
}

#[test]
fn diagonal_state_space_is_a_convolution() {
    let cell = DiagonalSsm::<2, 4, 3, f64>::init(&mut rng(1));
    let (xs, ys) = outputs(&cell);
    let want = (0..STEPS)
        .map(|t| {
            // The closed form of the modes: a value that was written i steps ago has decayed i
            // times.
            let modes: Vec<f64> = (0..4)
                .map(|n| {
                    let (dt, a) = (softplus(cell.dt_raw[n]), softplus(cell.a_raw[n]));
                    let written =
                        |x: &Vec<f64>| row(&cell.B, n).iter().zip(x).map(|(b, x)| b * x).sum::<f64>();
                    let faded = |i: usize| (-dt * a * (t - i) as f64).exp() * (1.0 - (-dt * a).exp()) / a;
                    (0..=t).map(|i| faded(i) * written(&xs[i])).sum()
                })
                .collect();
            let (read, passed) = (times(&matrix(&cell.C), &modes), times(&matrix(&cell.D), &xs[t]));
            read.iter().zip(passed).map(|(a, b)| a + b).collect()
        })
        .collect();
    assert_same("outputs", &ys, &want);
}

/// Computes `y = K * u + skip u` with the kernel `K_t = factor Re Σ_n C_n B̄_n Ā_n^t`, in complex
/// arithmetic.
fn s4d(
    us: &Sequence,
    (factor, skip): (f64, &[f64]),
    mode: impl Fn(usize, usize) -> (Complex<f64>, Complex<f64>, Complex<f64>),
    modes: usize,
) -> Sequence {
    let kernel = |d: usize| -> Vec<f64> {
        let term = |t: usize, n: usize| {
            let (a, b, c) = mode(d, n);
            (c * b * a.powu(t as u32)).re
        };
        (0..STEPS).map(|t| factor * (0..modes).map(|n| term(t, n)).sum::<f64>()).collect()
    };
    let channels: Vec<Vec<f64>> = (0..skip.len()).map(|d| convolve(&kernel(d), &column(us, d))).collect();
    (0..STEPS).map(|t| (0..skip.len()).map(|d| channels[d][t] + skip[d] * us[t][d]).collect()).collect()
}

#[test]
fn s4d_real_is_a_convolution() {
    let cell = S4dReal::<3, 4, f64>::init(&mut rng(1));
    assert_eq!(
        cell.log_rate.row(1).map(f64::exp).iter().map(|rate| rate.round()).sum::<f64>(),
        1.0 + 2.0 + 3.0 + 4.0
    );
    let (us, ys) = outputs(&cell);
    let mode = |d: usize, n: usize| {
        let (dt, a) = (cell.log_dt[d].exp(), -cell.log_rate[(d, n)].exp());
        ((a * dt).exp().into(), (((a * dt).exp() - 1.0) / a).into(), cell.C[(d, n)].into())
    };
    assert_same("outputs", &ys, &s4d(&us, (1.0, cell.skip.as_slice()), mode, 4));
}

#[test]
fn s4d_by_zero_order_hold_is_a_convolution() {
    let cell = S4d::<3, 4, f64>::init(&mut rng(1));
    assert!((cell.frequency[(2, 3)] - 3.0 * std::f64::consts::PI).abs() < 1e-15);
    let (us, ys) = outputs(&cell);
    let mode = |d: usize, n: usize| {
        let a = Complex::new(-cell.log_rate[(d, n)].exp(), cell.frequency[(d, n)]);
        assert!((a.re + 0.5).abs() < 1e-15);
        let a_bar = (a * cell.log_dt[d].exp()).exp();
        (a_bar, (a_bar - 1.0) / a, Complex::new(cell.C_re[(d, n)], cell.C_im[(d, n)]))
    };
    assert_same("outputs", &ys, &s4d(&us, (2.0, cell.skip.as_slice()), mode, 4));
}

#[test]
fn s4d_by_the_bilinear_rule_is_a_convolution() {
    let cell = S4dBilinear::<3, 4, f64>::init(&mut rng(1));
    let (us, ys) = outputs(&cell);
    let mode = |d: usize, n: usize| {
        let dt = cell.log_dt[d].exp();
        let half = Complex::new(-cell.log_rate[(d, n)].exp(), cell.frequency[(d, n)]) * dt / 2.0;
        let one = Complex::new(1.0, 0.0);
        ((one + half) / (one - half), dt / (one - half), Complex::new(cell.C_re[(d, n)], cell.C_im[(d, n)]))
    };
    assert_same("outputs", &ys, &s4d(&us, (2.0, cell.skip.as_slice()), mode, 4));
}

/// Runs Gu and Dao's algorithm 2 as loops over steps, channels and modes.
fn selective_scan(
    xs: &Sequence,
    (log_rate, w_b, w_c): (&Sequence, &Sequence, &Sequence),
    (down, up, b_dt): (&Sequence, &Sequence, &[f64]),
    skip: &[f64],
) -> Sequence {
    let modes = w_b.len();
    let mut states = vec![vec![0.0; modes]; skip.len()];
    let step = |x: &Vec<f64>| -> Vec<f64> {
        let (b, c, raw) = (times(w_b, x), times(w_c, x), times(up, &times(down, x)));
        let channel = |(d, state): (usize, &mut Vec<f64>)| {
            let dt = softplus(raw[d] + b_dt[d]);
            for n in 0..modes {
                state[n] = (-log_rate[d][n].exp() * dt).exp() * state[n] + dt * b[n] * x[d];
            }
            state.iter().zip(&c).map(|(state, c)| state * c).sum::<f64>() + skip[d] * x[d]
        };
        states.iter_mut().enumerate().map(channel).collect()
    };
    xs.iter().map(step).collect()
}

#[test]
fn selective_scan_is_a_loop() {
    let cell = SelectiveSsm::<4, 3, 2, f64>::init(&mut rng(1));
    let (xs, ys) = outputs(&cell);
    let want = selective_scan(
        &xs,
        (&matrix(&cell.log_rate), &matrix(&cell.W_B), &matrix(&cell.W_C)),
        (&matrix(&cell.W_down), &matrix(&cell.W_dt), cell.b_dt.as_slice()),
        cell.skip.as_slice(),
    );
    assert_same("outputs", &ys, &want);
}

#[test]
fn step_sizes_start_in_their_range() {
    let cell = SelectiveSsm::<64, 2, 1, f64>::init(&mut rng(1));
    let sizes: Vec<f64> = cell.b_dt.iter().map(|raw| softplus(*raw)).collect();
    assert!(sizes.iter().all(|dt| (0.001..0.1002).contains(dt)), "{sizes:?}");
    assert!(sizes.iter().any(|dt| *dt < 0.003) && sizes.iter().any(|dt| *dt > 0.05), "{sizes:?}");
}

#[test]
fn mamba_is_its_parts() {
    let cell = Mamba::<2, 4, 3, 2, f64>::init(&mut rng(1));
    let (us, ys) = outputs(&cell);
    let up: Sequence = us.iter().map(|u| times(&matrix(&cell.W_x), u)).collect();
    let filters = [&cell.k_0, &cell.k_1, &cell.k_2, &cell.k_3];
    let filtered = |d: usize| {
        let filter: Vec<f64> = filters.iter().map(|k| k[d]).collect();
        convolve(&filter, &column(&up, d)).into_iter().map(|x| silu(x + cell.b_conv[d])).collect::<Vec<_>>()
    };
    let channels: Vec<Vec<f64>> = (0..4).map(filtered).collect();
    let xs: Sequence = (0..STEPS).map(|t| channels.iter().map(|channel| channel[t]).collect()).collect();
    let scanned = selective_scan(
        &xs,
        (&matrix(&cell.log_rate), &matrix(&cell.W_B), &matrix(&cell.W_C)),
        (&matrix(&cell.W_down), &matrix(&cell.W_dt), cell.b_dt.as_slice()),
        cell.skip.as_slice(),
    );
    let out = |(y, u): (&Vec<f64>, &Vec<f64>)| {
        let gated: Vec<f64> = y.iter().zip(times(&matrix(&cell.W_z), u)).map(|(y, z)| y * silu(z)).collect();
        times(&matrix(&cell.W_out), &gated)
    };
    assert_same("outputs", &ys, &scanned.iter().zip(&us).map(out).collect());
}

/// Mixes every input with the previous one.
fn shifted(xs: &Sequence, mu: &[f64]) -> Sequence {
    let mixed = |t: usize| -> Vec<f64> {
        let before = |d: usize| if t == 0 { 0.0 } else { xs[t - 1][d] };
        (0..mu.len()).map(|d| mu[d] * xs[t][d] + (1.0 - mu[d]) * before(d)).collect()
    };
    (0..xs.len()).map(mixed).collect()
}

/// Compares with the definition of Peng et al.'s weighted mean: sums of exponentials over all
/// previous steps.
#[test]
fn rwkv_is_a_weighted_mean() {
    let cell = RwkvTimeMixing::<3, f64>::init(&mut rng(1));
    let (xs, ys) = outputs(&cell);
    let of = |w: &SMatrix<f64, 3, 3>, mu: &SVector<f64, 3>| -> Sequence {
        shifted(&xs, mu.as_slice()).iter().map(|x| times(&matrix(w), x)).collect()
    };
    let (ks, vs, rs) = (of(&cell.W_k, &cell.mu_k), of(&cell.W_v, &cell.mu_v), of(&cell.W_r, &cell.mu_r));
    let step = |t: usize| {
        let mean = |d: usize| {
            let fade = cell.decay[d].exp();
            let weight = |i: usize| match t - i {
                0 => (cell.bonus[d] + ks[t][d]).exp(),
                ago => (-fade * (ago - 1) as f64 + ks[i][d]).exp(),
            };
            let values: f64 = (0..=t).map(|i| weight(i) * vs[i][d]).sum();
            sigmoid(rs[t][d]) * values / (0..=t).map(weight).sum::<f64>()
        };
        times(&matrix(&cell.W_o), &(0..3).map(mean).collect::<Vec<_>>())
    };
    assert_same("outputs", &ys, &(0..STEPS).map(step).collect());
}

/// For keys whose exponentials overflow in any precision, outputs and gradients stay finite, and
/// only the largest key contributes.
#[test]
fn rwkv_survives_large_keys() {
    let mut cell = RwkvTimeMixing::<1, f64>::zeros();
    for share in [&mut cell.mu_k, &mut cell.mu_v, &mut cell.mu_r] {
        share.fill(1.0);
    }
    cell.W_k.fill(1000.0);
    cell.W_v.fill(1.0);
    cell.W_o.fill(2.0);
    cell.decay.fill(-2.0);
    let xs = [0.5, 2.0, 1.0, -3.0].map(SVector::<f64, 1>::new);
    let ys = cell.run(&xs, &mut cell.initial_state());
    // The receptance is one half and `W_o` is 2, so the output is the value of the largest key so
    // far, which is the largest input.
    assert_close("outputs", &all_scalars(&ys), &[0.5, 2.0, 2.0, 2.0], 1e-12);

    let mut cell = RwkvTimeMixing::<4>::init(&mut rng(1));
    cell.W_k *= 1e4;
    let xs: Vec<SVector<f32, 4>> =
        random_sequence::<SVector<f64, 4>>(&mut rng(2), 50).iter().map(|x| x.cast()).collect();
    let (mut state, mut tape) = (cell.initial_state(), cell.tape());
    let ys = cell.forward(&xs, &mut state, &mut tape).to_vec();
    assert!(ys.iter().all(|y| y.iter().all(|y| y.is_finite())), "{ys:?}");
    assert!(state.largest.amax() > 1000.0, "the keys are not large");
    let mut gradients = RwkvTimeMixing::<4>::zeros();
    cell.backward(&xs, &mut tape, &ys, &mut gradients);
    gradients.visit(&mut |parameter| {
        assert!(parameter.values.iter().all(|x| x.is_finite()), "{}: {:?}", parameter.name, parameter.values);
    });
}

#[test]
fn rwkv_mixes_channels() {
    let cell = RwkvChannelMixing::<3, 5, f64>::init(&mut rng(1));
    let (xs, ys) = outputs(&cell);
    let (ks, rs) = (shifted(&xs, cell.mu_k.as_slice()), shifted(&xs, cell.mu_r.as_slice()));
    let step = |(k, r): (&Vec<f64>, &Vec<f64>)| {
        let squared: Vec<f64> = times(&matrix(&cell.W_k), k).iter().map(|k| k.max(0.0).powi(2)).collect();
        let gates = times(&matrix(&cell.W_r), r);
        times(&matrix(&cell.W_v), &squared).iter().zip(gates).map(|(v, r)| sigmoid(r) * v).collect()
    };
    assert_same("outputs", &ys, &ks.iter().zip(&rs).map(step).collect());
}

/// Computes `h_t = Σ_i (Π_{j > i} keep_j) add_i`, the closed form of a gated linear recurrence.
fn unrolled(keep: &Sequence, add: &Sequence) -> Sequence {
    let at = |t: usize, d: usize| -> f64 {
        (0..=t).map(|i| (i + 1..=t).map(|j| keep[j][d]).product::<f64>() * add[i][d]).sum()
    };
    (0..keep.len()).map(|t| (0..keep[t].len()).map(|d| at(t, d)).collect()).collect()
}

/// Applies `f` to each entry of `W x + b`. The result has one row per step.
fn affine<const I: usize, const H: usize>(
    (w, b): (&SMatrix<f64, H, I>, &SVector<f64, H>),
    xs: &Sequence,
    f: impl Fn(f64) -> f64,
) -> Sequence {
    let step = |x: &Vec<f64>| times(&matrix(w), x).iter().zip(b.iter()).map(|(y, b)| f(y + b)).collect();
    xs.iter().map(step).collect()
}

/// Applies `f` to the entries of two sequences.
fn zip(a: &Sequence, b: &Sequence, f: impl Fn(f64, f64) -> f64) -> Sequence {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect()).collect()
}

#[test]
fn minimal_gru_is_a_sum() {
    let cell = MinGru::<3, 4, f64>::init(&mut rng(1));
    let (xs, hs) = outputs(&cell);
    let (z, candidate) =
        (affine((&cell.W_z, &cell.b_z), &xs, sigmoid), affine((&cell.W_h, &cell.b_h), &xs, |h| h));
    let keep = zip(&z, &z, |z, _| 1.0 - z);
    assert_same("outputs", &hs, &unrolled(&keep, &zip(&z, &candidate, |z, h| z * h)));
}

#[test]
fn minimal_lstm_is_a_sum() {
    let cell = MinLstm::<3, 4, f64>::init(&mut rng(1));
    let (xs, hs) = outputs(&cell);
    let (f, i) = (affine((&cell.W_f, &cell.b_f), &xs, sigmoid), affine((&cell.W_i, &cell.b_i), &xs, sigmoid));
    let candidate = affine((&cell.W_h, &cell.b_h), &xs, |h| h);
    let (keep, share) = (zip(&f, &i, |f, i| f / (f + i)), zip(&f, &i, |f, i| i / (f + i)));
    assert_same("outputs", &hs, &unrolled(&keep, &zip(&share, &candidate, |i, h| i * h)));
}

#[test]
fn quasi_recurrence_is_a_convolution_and_a_sum() {
    let cell = Qrnn::<2, 3, 4, f64>::init(&mut rng(1));
    let (xs, hs) = outputs(&cell);
    // Each filter is one matrix over a window of four steps.
    let padded = [vec![vec![0.0; 2]; 3], xs].concat();
    let windows: Sequence = padded.windows(4).map(<[_]>::concat).collect();
    let gate = |w: &HeadCols<SMatrix<f64, 3, 2>, 4>, b: &SVector<f64, 3>, f: fn(f64) -> f64| {
        affine((&w.to_matrix::<3, 8>(), b), &windows, f)
    };
    let z = gate(&cell.W_z, &cell.b_z, f64::tanh);
    let f = gate(&cell.W_f, &cell.b_f, sigmoid);
    let o = gate(&cell.W_o, &cell.b_o, sigmoid);
    let c = unrolled(&f, &zip(&f, &z, |f, z| (1.0 - f) * z));
    assert_same("outputs", &hs, &zip(&o, &c, |o, c| o * c));
}

#[test]
fn simple_recurrent_unit_is_a_loop() {
    let cell = Sru::<3, f64>::init(&mut rng(1));
    let (xs, hs) = outputs(&cell);
    let mut c = [0.0; 3];
    let step = |x: &Vec<f64>| -> Vec<f64> {
        let of = |w: &SMatrix<f64, 3, 3>| times(&matrix(w), x);
        let (candidate, f, r) = (of(&cell.W), of(&cell.W_f), of(&cell.W_r));
        let channel = |(d, c): (usize, &mut f64)| {
            let forget = sigmoid(f[d] + cell.v_f[d] * *c + cell.b_f[d]);
            let reset = sigmoid(r[d] + cell.v_r[d] * *c + cell.b_r[d]);
            *c = forget * *c + (1.0 - forget) * candidate[d];
            reset * *c + (1.0 - reset) * x[d] * 3.0_f64.sqrt()
        };
        c.iter_mut().enumerate().map(channel).collect()
    };
    assert_same("outputs", &hs, &xs.iter().map(step).collect());
}

/// The cotangent of a final state that is a delay reaches the delayed value, for every length of
/// the sample.
#[test]
fn cotangents_of_final_delays_reach_the_inputs() {
    let cell = Mamba::<2, 3, 4, 1, f64>::init(&mut rng(1));
    let mut dfinal = cell.zero_state::<1>();
    dfinal.x_1.fill(1.0);
    let xs: Vec<SVector<f64, 2>> = random_sequence(&mut rng(2), 4);
    for length in 0..4 {
        let (pass, state) = (Pass::of(&xs).lengths([length]), cell.zero_state());
        let results = forward_and_backward(&cell, pass, &state, (&[], &dfinal), &mut cell.tape());
        // The state is `W_x @ u` of the last step.
        let want = cell.W_x.transpose() * dfinal.x_1;
        let mut expected = [0.0; 8];
        if length > 0 {
            expected[2 * length - 2..2 * length].copy_from_slice(want.as_slice());
        }
        assert_close(&format!("cotangents of {length} steps"), &results.dxs, &expected, 1e-14);
    }
}
