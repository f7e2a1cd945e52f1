//! Values of earlier steps: delays and windows, in streams, sequences, batches and gradients.

#![allow(missing_docs)]

use nalgebra::{SMatrix, SVector};
use rnn_cell::cell::{BlockShape, ModelMut, ParameterMut, Pass};
use rnn_cell::cells::{NamGatedLayer, NamHead16, NamLeakyLayer6, TcnBlock, WaveNetLayer};
use rnn_cell::data::{Batch, pad};
use rnn_cell::inspect::gradcheck::{Checked, Gradcheck};
use rnn_cell::prelude::*;
use rnn_cell::train::{Trainer, loss::mean_squared_error_weighted};
use rnn_cell::types::blocks::Rows;
use rnn_cell::types::varying::Varying;
use rnn_cell::weights::{load_state, save_state};
use tests::exactness::{
    all_scalars, assert_close, check, parameters, ragged_batches_are_their_samples, random, random_sequence,
    rng, verify,
};
use tests::golden::{from_scalars, scalars};

rnn_cell! {
    /// A delayed input.
    pub cell Echo<I, O> {
        input x: [I];
        param K: [O, I + I];
        param b: [O] = 0.3;
        y = tanh(K @ [x[t-2], x] + b);
        output y;
    }

    /// A causal convolution of width 3 and dilation `D`.
    pub cell Dilated<I, O, D> {
        input x: [I];
        param K: [O, I + I + I];
        param b: [O] = 0.3;
        y = tanh(K @ [x[t-2*D], x[t-D], x] + b);
        output y;
    }

    /// Delays of states, of equations that depend on them, and of other equations, by several
    /// symbols.
    pub cell Mixture<I, H, D> {
        input x: [I], s: [];
        state h: [H] = h_0;
        state n: [] = 0.5;
        param h_0: [H] = normal(0.5);
        param W: [H, H + I + H], U: [H, H], V: [H, I];

        p = tanh(V @ (x + x[t-1]) + s[t-3]);
        q = sigmoid(U @ p[t-2] + n[t-2]);
        h = tanh(W @ [h[t-3], x[t-D], h[t-D]]) * q + 0.3 * h[t-1] + 0.1 * r[t-2];
        n = 0.5 * n[t-1] + mean(h) * s;
        r = h[t-1] * p;
        z = tanh(U @ r) * h;
        y = z + z[t-1] * z[t-4] + r[t-D];
        output y, h, p;
    }

    /// A delayed output, a delayed sum of dimensions, a matrix one step back.
    pub cell Blocks<I, J> {
        input x: [I], X: [I, J];
        param K: [J, I + J], A: [I + J, I + J];
        u = tanh(A @ [x, X.T @ x]);
        v = K @ u[t-2] + X[t-1].T @ x + k[t-3];
        k = u_2[t-1] * 0.5 + mean(X[t-1]);
        [_u_1, u_2] = u;
        output v, u;
    }

    /// A lone output of which earlier steps are read.
    pub cell Lone<I> {
        input x: [I];
        state h: [I];
        param W: [I, I];
        h = tanh(W @ h[t-1] + x);
        y = h * x;
        z = sin(y + y[t-3]);
        output z;
    }

    /// A lone output that is recorded.
    pub cell Recorded<I> {
        input x: [I];
        state h: [I];
        param W: [I, I];
        y = W @ x;
        h = tanh(y[t-2] + W @ h[t-1]);
        w = h * 0.5;
        output y, w;
    }

    /// A delayed index.
    pub cell Indices<V, E> {
        input w: one_hot[V], x: [E];
        param A, B: [E, V];
        y = tanh(A @ w[t-2] + B @ w + x[t-1]);
        output y;
    }

    /// A state that is an output, with a delay of its own.
    pub cell Fibre<H, D> {
        input x: [H];
        state h: [H];
        param W: [H, H];
        h = tanh(W @ h[t-D] + x);
        output h;
    }

    /// A depthwise convolution, and attention over the recent past.
    pub cell Recent<I, D, S> {
        input x: [I];
        param k: [I, 4] = normal(0.5), Q, K, V: [D, I];
        u = row_sum(k * window(x, 4));
        q = Q @ u;
        e = K @ u;
        v = V @ u;
        a = softmax(q.T @ window(e, S) / sqrt(D), present(S));
        y = window(v, S) @ a.T;
        output y;
    }

    /// Windows within the recurrence and after it, with a spacing, of expressions and of scalars.
    pub cell Spaced<I, H, S, D> {
        input x: [I];
        state h: [H] = 0.2;
        param W: [H, I], U: [H, H], g: [S] = normal(1.0);
        e = U @ h[t-1];
        a = window(e, S, D) @ (g * present(S, D).T);
        h = tanh(W @ x + a + mean(window(sum(x) * x, 3, 2)));
        y = h * sum(window(mean(h), S)) + row_sum(window(h, 2, D));
        output y;
    }

    /// Windows of values that are the same at every step: of a parameter, of an equation that is
    /// also an output, and of a number.
    pub cell Fixed<I, D, S> {
        input x: [I];
        state h: [I];
        param p: [I] = normal(0.5), g: [S] = normal(1.0);
        q = p * p;
        h = tanh(x + window(p, S) @ g + row_sum(window(2 * q, 3)) + q[t-D]);
        y = row_sum(window(q, 2, D)) * h[t-1] + sum(window(1.5, S));
        output y, q;
    }

    /// Two indices, which are all that the state keeps.
    pub cell Bigram<V, W, H> {
        input a: one_hot[V], b: one_hot[W];
        param E: [H, V], F: [H, W];
        y = tanh(E @ a[t-1] + F @ b);
        output y;
    }

    /// A state that counts steps and keeps nothing else.
    pub cell Warming<I> {
        input x: [I];
        y = x * sum(present(3));
        output y;
    }

    /// Windows of a context and of an equation that depends on nothing else.
    pub cell OfContext<I> {
        input x: [I];
        context c: [I];
        s = tanh(c);
        y = row_sum(window(c, 3)) * x + row_sum(window(s, 2)) + s[t-2];
        output y;
    }
}

rnn_cell! {
    /// `torch.nn.Conv1d` of width 3 on an input that is padded on the left.
    pub cell Conv<I, O, D> {
        input x: [I];
        param K: [O, I + I + I], b: [O];
        y = K @ [x[t-2*D], x[t-D], x] + b;
        output y;
    }

    /// A depthwise convolution of width 4.
    pub cell Depthwise<I> {
        input x: [I];
        param k: [I, 4];
        y = row_sum(k * window(x, 4));
        output y;
    }

    /// Attention over the last `S` steps.
    pub cell Sliding<I, D, S> {
        input x: [I];
        param Q, K, V: [D, I];
        q = Q @ x;
        k = K @ x;
        v = V @ x;
        a = softmax(q.T @ window(k, S) / sqrt(D), present(S));
        y = window(v, S) @ a.T;
        output y;
    }

    /// [`Mixture`] without delays of more than one step, except for `D`, which is two: each delayed
    /// value is carried through a chain of states.
    pub cell Chained<I, H> {
        input x: [I], s: [];
        state h: [H] = h_0;
        state n: [] = 0.5;
        state x_1, x_2: [I], s_1, s_2, s_3: [], p_1, p_2: [H], r_1, r_2: [H], z_1, z_2, z_3, z_4: [H];
        state h_1, h_2: [H] = h_0;
        state n_1: [] = 0.5;
        param h_0: [H] = normal(0.5);
        param W: [H, H + I + H], U: [H, H], V: [H, I];

        x_1 = x;
        x_2 = x_1[t-1];
        s_1 = s;
        s_2 = s_1[t-1];
        s_3 = s_2[t-1];
        p = tanh(V @ (x + x_1[t-1]) + s_3[t-1]);
        p_1 = p;
        p_2 = p_1[t-1];
        h_1 = h[t-1];
        h_2 = h_1[t-1];
        n_1 = n[t-1];
        q = sigmoid(U @ p_2[t-1] + n_1[t-1]);
        h = tanh(W @ [h_2[t-1], x_2[t-1], h_1[t-1]]) * q + 0.3 * h[t-1] + 0.1 * r_2[t-1];
        n = 0.5 * n[t-1] + mean(h) * s;
        r = h[t-1] * p;
        r_1 = r;
        r_2 = r_1[t-1];
        z = tanh(U @ r) * h;
        z_1 = z;
        z_2 = z_1[t-1];
        z_3 = z_2[t-1];
        z_4 = z_3[t-1];
        y = z + z_1[t-1] * z_4[t-1] + r_2[t-1];
        output y, h, p;
    }
}

/// Checks that a stream goes on with the same bits after its state was written and read: as a file,
/// and by serde.
macro_rules! resumes {
    ($cell:ty, $state:ty, $input:expr) => {{
        let cell = <$cell>::init(&mut rng(1));
        let input = $input;
        let mut state = cell.initial_state();
        for t in 0..7 {
            cell.step(&input(t), &mut state);
        }
        let mut resumed = cell.initial_state();
        load_state(&cell, &mut resumed, &save_state(&cell, &state)).unwrap();
        let mut read: $state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        for t in 7..16 {
            let y = scalars(&cell.step(&input(t), &mut state));
            assert_eq!(scalars(&cell.step(&input(t), &mut resumed)), y, "from a file, step {t}");
            assert_eq!(scalars(&cell.step(&input(t), &mut read)), y, "by serde, step {t}");
        }
    }};
}

#[test]
fn saved_streams_go_on_with_the_same_bits() {
    resumes!(Recent<2, 3, 4, f64>, RecentState<2, 3, 4, 3, f64>, |t| random::<SMatrix<f64, 2, 3>>(&mut rng(t)));
    resumes!(Mixture<2, 3, 4, f64>, MixtureState<2, 3, 4, 1, f64>, |t: u64| MixtureInput {
        x: SVector::repeat(0.1 * t as f64),
        s: SVector::repeat((t as f64).sin()),
    });
    resumes!(Bigram<5, 4, 3, f64>, BigramState<1, f64>, |t: u64| BigramInput {
        a: [t as u32 % 5],
        b: [t as u32 % 3],
    });
    resumes!(Warming<2, f64>, WarmingState<1, f64>, |t| random::<SVector<f64, 2>>(&mut rng(t)));
}

/// A training that carries its state over the blocks of a stream is saved with the past, and goes
/// on with the same bits.
#[test]
fn checkpoints_hold_the_past() {
    let xs: Vec<SMatrix<f64, 2, 2>> = random_sequence(&mut rng(3), 40);
    let new = || Trainer::new::<2>(Recent::<2, 3, 4, f64>::init(&mut rng(1)), Adam::new(0.01)).carry_state();
    let train = |trainer: &mut Trainer<_, _, _>, blocks: &[SMatrix<f64, 2, 2>]| {
        for block in blocks.chunks(5) {
            let loss = trainer.step(block, |out| {
                out.every_step(|_, y, weights| mean_squared_error_weighted(y, &SMatrix::repeat(0.1), weights))
            });
            loss.unwrap();
        }
    };
    let path = std::env::temp_dir().join(format!("rnn-cell-{}-past.safetensors", std::process::id()));
    let (mut whole, mut resumed) = (new(), new());
    train(&mut whole, &xs[..20]);
    whole.save_checkpoint(&path).unwrap();
    resumed.load_checkpoint(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    train(&mut whole, &xs[20..]);
    train(&mut resumed, &xs[20..]);
    assert_eq!(parameters(&resumed.model), parameters(&whole.model));
}

/// Checks a cell without a context, alone and in batches, with short and long sequences. A batch of
/// 100 is cut into chunks of two steps.
macro_rules! verify {
    ($cell:expr) => {{
        let mut cell = $cell;
        verify::<1, _>(&mut cell, 13, &[0, 1, 2, 9]);
        verify::<3, _>(&mut cell, 13, &[0, 1, 2, 9]);
        ragged_batches_are_their_samples(&cell, [7, 3, 0], 5);
        ragged_batches_are_their_samples(&cell, [2, 6, 1], 5);
        chunks::<100, _>(&mut cell);
    }};
}

fn chunks<const B: usize, L>(cell: &mut L)
where
    L: Cell<B> + Checked<B> + Layer<B, Context = ()>,
{
    let mut rng = rng(98);
    let xs: Vec<L::Input> = random_sequence(&mut rng, 7);
    let state: L::State = random(&mut rng);
    let settings = Gradcheck { directions: 1, ..Gradcheck::default() };
    settings.check(cell, &xs[..], &state).assert_ok();
}

#[test]
fn a_delayed_input() {
    verify!(Echo::<2, 3, f64>::init(&mut rng(1)));
}

#[test]
fn dilated_convolutions() {
    verify!(Dilated::<2, 3, 1, f64>::init(&mut rng(1)));
    verify!(Dilated::<2, 3, 3, f64>::init(&mut rng(2)));
    verify!(Dilated::<1, 2, 20, f64>::init(&mut rng(3)));
}

#[test]
fn states_and_equations() {
    verify!(Mixture::<2, 3, 1, f64>::init(&mut rng(1)));
    verify!(Mixture::<2, 3, 4, f64>::init(&mut rng(1)));
}

#[test]
fn blocks_and_matrices() {
    verify!(Blocks::<2, 3, f64>::init(&mut rng(1)));
}

#[test]
fn outputs_that_are_recorded() {
    verify!(Lone::<3, f64>::init(&mut rng(1)));
    verify!(Recorded::<3, f64>::init(&mut rng(1)));
    verify!(Fibre::<3, 1, f64>::init(&mut rng(1)));
    verify!(Fibre::<3, 4, f64>::init(&mut rng(1)));
}

#[test]
fn indices() {
    let cell = Indices::<5, 3, f64>::init(&mut rng(1));
    let xs: Vec<IndicesInput<3, 1, f64>> =
        (0..6).map(|t| IndicesInput { w: [(t * 3 + 1) % 5], x: random(&mut rng(u64::from(t))) }).collect();
    let (mut state, mut tape) = (cell.zero_state(), cell.tape());
    let ys = cell.forward(&xs, &mut state, &mut tape).to_vec();
    let mut stepped = cell.zero_state();
    for t in 0..6 {
        let mut y = cell.B.column(xs[t].w[0] as usize).into_owned();
        if t >= 2 {
            y += cell.A.column(xs[t - 2].w[0] as usize);
        }
        if t >= 1 {
            y += xs[t - 1].x;
        }
        let y = y.map(f64::tanh);
        assert_close("a delayed index", ys[t].as_slice(), y.as_slice(), 1e-14);
        assert_close("in a step", cell.step(&xs[t], &mut stepped).as_slice(), y.as_slice(), 1e-14);
    }
    assert_eq!(state, stepped);
}

#[test]
fn states_and_inputs_without_scalars() {
    let mut cell = Bigram::<5, 4, 3, f64>::init(&mut rng(1));
    let samples: [Vec<BigramInput>; 2] =
        [5, 3].map(|steps| (0..steps).map(|t| BigramInput { a: [t % 5], b: [(t + 1) % 4] }).collect());
    let batch: Batch<BigramInput<2>, 2> = pad(&samples);
    let state = cell.zero_state();
    check::<2, _>(&cell, Pass::of(&batch.xs), &state, 5);
    let pass = Pass::of(&batch.xs).lengths(batch.lengths);
    Gradcheck::default().check::<_, 2>(&mut cell, pass, &state).assert_ok();
    let mut state = cell.zero_state();
    for (t, x) in samples[0].iter().enumerate() {
        let mut y = cell.F.column(x.b[0] as usize).into_owned();
        if t > 0 {
            y += cell.E.column(samples[0][t - 1].a[0] as usize);
        }
        assert_close("step", cell.step(x, &mut state).as_slice(), y.map(f64::tanh).as_slice(), 1e-14);
    }

    let mut cell = Warming::<2, f64>::init(&mut rng(1));
    verify::<3, _>(&mut cell, 5, &[0, 4]);
    let x = SVector::from([1.0, -0.5]);
    let mut state = cell.zero_state();
    for known in [1.0, 2.0, 3.0, 3.0] {
        assert_eq!(cell.step(&x, &mut state), x * known);
    }
}

#[test]
fn windows() {
    verify!(Recent::<2, 3, 1, f64>::init(&mut rng(1)));
    verify!(Recent::<2, 3, 4, f64>::init(&mut rng(1)));
}

#[test]
fn windows_with_a_spacing() {
    verify!(Spaced::<2, 3, 3, 1, f64>::init(&mut rng(1)));
}

#[test]
fn windows_with_a_larger_spacing() {
    verify!(Spaced::<2, 3, 3, 2, f64>::init(&mut rng(1)));
}

#[test]
fn windows_of_fixed_values() {
    verify!(Fixed::<2, 3, 4, f64>::init(&mut rng(1)));
}

#[test]
fn windows_of_a_context() {
    let mut cell = OfContext::<3, f64>::init(&mut rng(1));
    let context: OfContextContext<3, 2, f64> = random(&mut rng(2));
    let xs: Vec<SMatrix<f64, 3, 2>> = random_sequence(&mut rng(3), 5);
    let state = random(&mut rng(4));
    check::<2, _>(&cell, Pass::of(&xs).context(&context), &state, 5);
    Gradcheck::default().check::<_, 2>(&mut cell, (&xs, &context), &state).assert_ok();
}

#[test]
fn ready_convolutions() {
    verify!(TcnBlock::<2, 3, 4, 2, f64>::init(&mut rng(1)));
    verify!(WaveNetLayer::<3, 2, 3, 2, f64>::init(&mut rng(1)));
    verify!(NamGatedLayer::<1, 3, 2, f64>::init(&mut rng(1)));
    verify!(NamLeakyLayer6::<1, 2, 2, f64>::init(&mut rng(1)));
    verify!(NamHead16::<1, 3, f64>::init(&mut rng(1)));
}

/// Returns an array of `reference.json`, which `reference.py` writes.
fn reference(case: &str, name: &str) -> Vec<f64> {
    let cases: serde_json::Value = serde_json::from_str(include_str!("reference.json")).unwrap();
    let array = cases[case][name].as_array().unwrap_or_else(|| panic!("no {name} of {case}"));
    array.iter().map(|x| x.as_f64().unwrap()).collect()
}

fn sequence<const N: usize>(case: &str, name: &str) -> Vec<SVector<f64, N>> {
    reference(case, name).chunks_exact(N).map(SVector::from_column_slice).collect()
}

#[test]
fn convolutions_agree_with_numpy() {
    let mut cell = Conv::<3, 2, 2, f64>::zeros();
    // Row-major [O, I, 3]: one matrix for each of the three taps.
    let kernel = reference("convolution", "kernel");
    let tap = |tap: usize, from: &[f64]| SMatrix::<f64, 2, 3>::from_fn(|o, i| from[(o * 3 + i) * 3 + tap]);
    cell.K = Cols { left: tap(0, &kernel), right: Cols { left: tap(1, &kernel), right: tap(2, &kernel) } };
    cell.b = SVector::from_column_slice(&reference("convolution", "bias"));
    let xs = sequence::<3>("convolution", "x");
    let (mut state, mut tape) = (cell.zero_state(), cell.tape());
    let ys = all_scalars(cell.forward(&xs, &mut state, &mut tape));
    assert_close("convolution", &ys, &reference("convolution", "y"), 1e-13);

    let (mut gradients, mut dxs) = (cell.zero_gradients(), vec![SVector::zeros(); xs.len()]);
    let dys = sequence::<2>("convolution", "dy");
    cell.backward(&xs, &mut tape, &dys, Bars::of(&mut *gradients).inputs(&mut dxs));
    let dkernel = reference("convolution", "dkernel");
    let taps = &gradients.K;
    for (index, got) in [&taps.left, &taps.right.left, &taps.right.right].into_iter().enumerate() {
        assert_close("gradient of a tap", got.as_slice(), tap(index, &dkernel).as_slice(), 1e-13);
    }
    assert_close("gradient of the bias", gradients.b.as_slice(), &reference("convolution", "dbias"), 1e-13);
    assert_close("cotangents of the inputs", &all_scalars(&dxs), &reference("convolution", "dx"), 1e-13);
}

/// Sets the parameters of a model to arrays of `reference.json`, which are row-major.
fn set_parameters<M: ModelMut<Scalar = f64>>(model: &mut M, case: &str) {
    model.visit_mut(&mut |ParameterMut { name, shape: BlockShape { size, at, whole, .. }, values }| {
        let array = reference(case, name);
        assert_eq!(array.len(), whole.0 * whole.1, "{name}");
        for (index, value) in values.iter_mut().enumerate() {
            *value = array[(at.0 + index % size.0) * whole.1 + at.1 + index / size.0];
        }
    });
}

#[test]
fn blocks_of_a_tcn_agree_with_numpy() {
    let mut cell = TcnBlock::<3, 4, 3, 3, f64>::zeros();
    set_parameters(&mut cell, "tcn_block");
    let ys = cell.run(&sequence::<3>("tcn_block", "x"), &mut cell.zero_state());
    assert_close("TCN", &all_scalars(&ys), &reference("tcn_block", "y"), 1e-13);
}

#[test]
fn layers_of_a_wavenet_agree_with_numpy() {
    let mut net = Stack(WaveNetLayer::<3, 2, 2, 1, f64>::zeros(), WaveNetLayer::<3, 2, 2, 4, f64>::zeros());
    set_parameters(&mut net, "wavenet");
    let xs: Vec<Rows<SVector<f64, 3>, SVector<f64, 2>>> = sequence::<5>("wavenet", "x")
        .iter()
        .map(|x| Rows { top: x.fixed_rows::<3>(0).into_owned(), bottom: x.fixed_rows::<2>(3).into_owned() })
        .collect();
    let ys = net.run(&xs, &mut net.zero_state());
    assert_close("WaveNet", &all_scalars(&ys), &reference("wavenet", "y"), 1e-13);
}

#[test]
fn depthwise_convolutions_agree_with_numpy() {
    let mut cell = Depthwise::<3, f64>::zeros();
    cell.k = SMatrix::from_row_slice(&reference("depthwise", "kernel"));
    let xs = sequence::<3>("depthwise", "x");
    let ys = cell.run(&xs, &mut cell.zero_state());
    assert_close("depthwise", &all_scalars(&ys), &reference("depthwise", "y"), 1e-13);
}

#[test]
fn attention_agrees_with_numpy() {
    let mut cell = Sliding::<3, 4, 5, f64>::zeros();
    let matrix = |name| SMatrix::<f64, 4, 3>::from_row_slice(&reference("attention", name));
    (cell.Q, cell.K, cell.V) = (matrix("query"), matrix("key"), matrix("value"));
    let xs = sequence::<3>("attention", "x");
    let ys = cell.run(&xs, &mut cell.zero_state());
    assert_close("attention", &all_scalars(&ys), &reference("attention", "y"), 1e-13);
    let mut state = cell.zero_state();
    let stepped: Vec<_> = xs.iter().map(|x| cell.step(x, &mut state)).collect();
    assert_close("attention step by step", &all_scalars(&stepped), &reference("attention", "y"), 1e-13);
}

/// Delays agree with chains of states, values and gradients alike.
#[test]
fn delays_agree_with_chains_of_states() {
    let cell = Mixture::<2, 3, 2, f64>::init(&mut rng(5));
    let mut chained = Chained::<2, 3, f64>::zeros();
    let mut from = parameters(&cell).into_iter();
    chained.visit_mut(&mut |parameter| {
        parameter.values.iter_mut().for_each(|x| *x = from.next().unwrap());
    });
    let xs: Vec<MixtureInput<2, 3, f64>> = random_sequence(&mut rng(6), 120);
    let chained_xs: Vec<ChainedInput<2, 3, f64>> = xs.iter().map(|x| from_scalars(&scalars(x))).collect();
    let dys: Vec<MixtureOutput<3, 3, f64>> = random_sequence(&mut rng(7), 120);
    let chained_dys: Vec<ChainedOutput<3, 3, f64>> = dys.iter().map(|y| from_scalars(&scalars(y))).collect();

    let (mut state, mut tape) = (cell.initial_state(), cell.tape());
    let ys = all_scalars(cell.forward(&xs, &mut state, &mut tape));
    let (mut chained_state, mut chained_tape) = (chained.initial_state(), chained.tape());
    let chained_ys = all_scalars(chained.forward(&chained_xs, &mut chained_state, &mut chained_tape));
    assert_close("outputs", &ys, &chained_ys, 1e-12);

    let (mut gradients, mut dstate) = (cell.zero_gradients(), cell.zero_state());
    let mut dxs: Vec<MixtureInput<2, 3, f64>> = xs.iter().map(|_| Varying::<f64>::zero()).collect();
    cell.backward(&xs, &mut tape, &dys, Bars::of(&mut *gradients).state(&mut dstate).inputs(&mut dxs));
    cell.initial_state_backward(&dstate, &mut gradients);
    let (mut chained_gradients, mut chained_dstate) = (chained.zero_gradients(), chained.zero_state());
    let mut chained_dxs: Vec<ChainedInput<2, 3, f64>> = xs.iter().map(|_| Varying::<f64>::zero()).collect();
    let bars = Bars::of(&mut *chained_gradients).state(&mut chained_dstate).inputs(&mut chained_dxs);
    chained.backward(&chained_xs, &mut chained_tape, &chained_dys, bars);
    chained.initial_state_backward(&chained_dstate, &mut chained_gradients);
    assert_close("gradients", &parameters(&*gradients), &parameters(&*chained_gradients), 1e-11);
    assert_close("cotangents of the inputs", &all_scalars(&dxs), &all_scalars(&chained_dxs), 1e-11);
}

/// A sequence that is cut anywhere, even within a delay, continues exactly, and so does its
/// backward pass.
#[test]
fn sequences_cut_within_a_delay() {
    let cell = Spaced::<2, 3, 3, 2, f64>::init(&mut rng(1));
    let xs: Vec<SMatrix<f64, 2, 2>> = random_sequence(&mut rng(2), 9);
    let dys: Vec<SMatrix<f64, 3, 2>> = random_sequence(&mut rng(3), 9);
    let run = |cuts: &[usize]| {
        let mut state = cell.initial_state();
        let mut tapes = vec![];
        let mut ys = vec![];
        for cut in cuts.windows(2) {
            let mut tape = cell.tape();
            ys.extend(all_scalars(cell.forward(&xs[cut[0]..cut[1]], &mut state, &mut tape)));
            tapes.push(tape);
        }
        let (mut gradients, mut dstate) = (cell.zero_gradients(), cell.zero_state());
        for (cut, tape) in cuts.windows(2).zip(&mut tapes).rev() {
            let span = cut[0]..cut[1];
            cell.backward(&xs[span.clone()], tape, &dys[span], Bars::of(&mut *gradients).state(&mut dstate));
        }
        (ys, parameters(&*gradients), scalars(&dstate))
    };
    let (ys, gradients, dstate) = run(&[0, 9]);
    for cut in 1..9 {
        let (cut_ys, cut_gradients, cut_dstate) = run(&[0, cut, 9]);
        assert_close("outputs", &cut_ys, &ys, 1e-13);
        assert_close("gradients", &cut_gradients, &gradients, 1e-12);
        assert_close("cotangent of the state", &cut_dstate, &dstate, 1e-12);
    }
    let (cut_ys, cut_gradients, _) = run(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_close("outputs", &cut_ys, &ys, 1e-13);
    assert_close("gradients", &cut_gradients, &gradients, 1e-12);
}

/// A sample of a batch can be replaced by one of another age, in the middle of a stream.
#[test]
fn samples_of_different_ages_share_a_batch() {
    let cell = Recent::<2, 3, 4, f64>::init(&mut rng(1));
    let xs: Vec<SVector<f64, 2>> = random_sequence(&mut rng(2), 12);
    let fresh: Vec<SVector<f64, 2>> = random_sequence(&mut rng(3), 7);
    let mut one = cell.zero_state::<1>();
    let mut both = cell.zero_state::<2>();
    for (t, x) in xs.iter().enumerate() {
        if t == 5 {
            both.set_sample(1, &cell.zero_state());
        }
        let beside = if t < 5 { SVector::from([9.0, -9.0]) } else { fresh[t - 5] };
        let ys = cell.step(&SMatrix::from_columns(&[*x, beside]), &mut both);
        assert_close("the old sample", ys.column(0).as_slice(), cell.step(x, &mut one).as_slice(), 1e-14);
    }
    let mut alone = cell.zero_state();
    fresh.iter().for_each(|x| {
        cell.step(x, &mut alone);
    });
    assert_close("the new sample", &scalars(&both.sample(1)), &scalars(&alone), 1e-14);
    assert_eq!(both.sample(0), one);
}
