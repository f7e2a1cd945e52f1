//! Cells with blocks of heads: gradients, batches, streams, and equality with one cell per head.

#![allow(missing_docs)]

use nalgebra::SMatrix;
use rnn_cell::cells::{self, Dense};
use rnn_cell::inspect::finite::check_finite;
use rnn_cell::inspect::gradcheck::Gradcheck;
use rnn_cell::inspect::summary;
use rnn_cell::prelude::*;
use rnn_cell::quantised::{Int8, round};
use rnn_cell::train::Trainer;
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::train::optim::clip_global_norm;
use rnn_cell::types::heads::Heads;
use rnn_cell::types::varying::Varying;
use rnn_cell::weights::{load, save};
use tests::exactness::{
    all_scalars, assert_close, assert_same_bits, check, parameters, ragged_batches_are_their_samples, random,
    random_sequence, rng, verify,
};
use tests::golden::scalars;

rnn_cell! {
    /// Heads with a product each, read outside as a stack.
    pub cell Projections<I, D, K, O> {
        input x: [I];
        heads K {
            param W: [D, I], b: [D] = 0.1;
            q = W @ x + b;
        }
        param W_o: [O, K*D], g: [K*D] = 1;

        y = W_o @ (g * q);

        output y;
    }

    /// mLSTM with `K` heads (Beck et al. 2024, eq. 19-27).
    pub cell MLstm<I, D, K> {
        input x: [I];
        heads K {
            state C: [D, D], n: [D], m: [];
            param W_q, W_k, W_v: [D, I], w_i, w_f: [I] = uniform(0.5), b_i, b_f: [];

            q = W_q @ x;
            k = W_k @ x / sqrt(D);
            v = W_v @ x;
            l_f = -softplus(-(w_f.T @ x + b_f));
            m = max(l_f + m[t-1], w_i.T @ x + b_i);
            i = exp(w_i.T @ x + b_i - m);
            f = exp(l_f + m[t-1] - m);
            C = f * C[t-1] + i * (v @ k.T);
            n = f * n[t-1] + i * k;
            y = C @ q / max(abs(n.T @ q), exp(-m));
        }
        param W_o: [K*D, I], b_o: [K*D];

        h = sigmoid(W_o @ x + b_o) * y;

        output h;
    }

    /// Parameters of heads that multiply matrices of a step, which have several columns.
    pub cell Matrices<I, D, K, S> {
        input x: [I];
        state g: [S, I];

        heads K {
            param A: [D, S] = uniform(0.6), B: [S, D] = uniform(0.6), r: [1, I] = uniform(0.6);

            M = tanh(A @ g[t-1] + 0.1 * (A @ (B @ A) @ g[t-1]));
            N = tanh(B @ M * r);
            y = mean(N @ N.T) + mean(M.T @ M);
        }

        g = tanh(0.3 * g[t-1] + sum(y) * x.T);

        output y;
    }

    /// One head of `MLstm`, without a block.
    pub cell OneHead<I, D> {
        input x: [I];
        state C: [D, D], n: [D], m: [];
        param W_q, W_k, W_v: [D, I], w_i, w_f: [I] = uniform(0.5), b_i, b_f: [];

        q = W_q @ x;
        k = W_k @ x / sqrt(D);
        v = W_v @ x;
        l_f = -softplus(-(w_f.T @ x + b_f));
        m = max(l_f + m[t-1], w_i.T @ x + b_i);
        i = exp(w_i.T @ x + b_i - m);
        f = exp(l_f + m[t-1] - m);
        C = f * C[t-1] + i * (v @ k.T);
        n = f * n[t-1] + i * k;
        y = C @ q / max(abs(n.T @ q), exp(-m));

        param W_o: [D, I], b_o: [D];

        h = sigmoid(W_o @ x + b_o) * y;

        output h;
    }

    /// Block-diagonal recurrences, sums of dimensions, shared parameters and states, parts of
    /// stacks, scalars of heads outside, reductions of stacks.
    pub cell Mixed<I, D, K> {
        input x: [I];
        state s: [D], z: [K*D], a: [K];
        param U: [D, D], p: [D] = 0.3, c: [], B: [D, K*D];

        heads K {
            state h: [D] = h_0, r: [] = 0.5;
            param h_0: [D] = normal(0.5), W: [D, D + I + D], k: [] = 1, V: [D, D];
            buffer u: [D] = 0.5;

            g = tanh(W @ [h[t-1], x, s[t-1]] + U @ h[t-1] + p * u);
            r = sigmoid(k * r[t-1] + c + mean(g) + a[t-1].head);
            h = g * z[t-1].head + r * (V @ s[t-1]) + U.T @ g;
        }

        z = tanh(h + c);
        a = r * softmax(r) + 0.5 * a[t-1];
        s = 0.1 * (B @ h) + 0.1 * sum(h) * p;
        o = rms_norm(h, z);

        output s, o, r;
    }

    /// Groups of heads and blocks of vectors: of inputs, states, parameters and values, within a
    /// recurrence.
    pub cell Groups<I, D, G, K, N> {
        input x: [I], e: [G*D], c: [K];
        state s: [G*D], a: [G];
        param p: [G*D] = normal(0.5), r: [G] = normal(0.5), l: [K] = normal(0.5), A: [G*D, N] = normal(0.5);

        heads G {
            param W: [D, I], B: [D, N] = normal(0.5), b: [D] = normal(0.5);
            state g: [D];

            g = tanh(W @ x + row_sum(B * (blocks(g[t-1], N) + blocks(b, N))) + s[t-1].head);
        }

        every = repeat_heads(g, K) + repeat_heads(e, K) * repeat_heads(p, K);
        share = repeat_heads(a[t-1] + r, K) * c + repeat_heads(r, K);

        heads K {
            param V: [D, D], q: [D] = normal(0.5);
            state h: [D];

            h = tanh(V @ h[t-1] + every.head * share.head);
            m = mean(square(h * q));
        }

        s = 0.5 * sum_heads(h, G) + row_sum(A * blocks(p * s[t-1], N)) + row_sum(blocks(e, N) * blocks(p, N));
        a = tanh(sum_heads(m, G) + sum_heads(c, G) * sum_heads(l, G));

        output h, s;
    }

    /// Two blocks, a matrix that all heads share, one-hot inputs, splits.
    pub cell Blocks<V, I, D, K> {
        input w: one_hot[V], x: [I];
        state S: [D, D];
        param A: [D, D], p: [D] = normal(0.5);

        heads K {
            param E: [D, V], M: [2*D, I], q: [2] = normal(0.5);
            e = E @ w;
            [a, b] = M @ x;
            [q_1, q_2] = q;
            f = S[t-1] @ (q_1 * e + a);
            v = q_2 * b;
        }

        heads K {
            param P: [D, D];
            state n: [D];
            n = P @ f.head + 0.5 * n[t-1] * v.head;
            y = A @ n;
        }

        S = 0.5 * S[t-1] + (A @ p) @ p.T;

        output y, f;
    }

    /// A literal number of heads, and a block of one head.
    pub cell Literals<I, D> {
        input x: [I];
        heads 3 { param W: [D, I], g: [] = 1; state h: [D]; h = tanh(g * (W @ x) + h[t-1]); }
        heads 1 { param U: [D, I], k: [] = 2; z = k * (U @ x); }
        param P: [D, 3*D];

        y = P @ h + z;

        output y, h;
    }

    /// Delays and windows of values of heads, of values that all heads share, and of stacks.
    pub cell Recent<I, D, K, S> {
        input x: [I];
        state z: [K*D];
        param E: [D, I], B: [D, K*D], g: [K, S] = normal(0.5);

        heads K {
            state h: [D] = h_0, a: [] = 0.5;
            param h_0: [D] = normal(0.5), W: [D, I], U: [D, D], c: [D, 3] = normal(0.5), w: [] = 0.5;

            k = tanh(W @ x + 0.3 * (U @ h[t-1]));
            e = E @ x;
            q = row_sum(c * window(k, 3)) + e[t-2] + w * k[t-S];
            p = softmax(k.T @ window(q, S), present(S)) @ window(e, S).T;
            h = tanh(U.T @ h[t-3] + q + p.T + 0.1 * z[t-2].head);
            a = 0.5 * a[t-2] + mean(window(w * h, 2, S));
        }

        heads K {
            param V: [D, D];
            v = V @ (k[t-2].head + row_sum(window(h.head, 3, 2)));
        }

        z = 0.5 * z[t-1] + k[t-1] * v;
        s = row_sum(g * window(a, S)) + a[t-1];
        y = row_sum(window(B @ h, 2)) + sum(window(v, 3)) * mean(s);

        output y, z, s;
    }

    /// A convolution with a kernel of its own for each head, outside of the recurrence.
    pub cell Convolution<I, D, K, S> {
        input x: [I];
        heads K {
            param W: [D, I + I], c: [D, S] = normal(0.5), b: [D] = 0.1;
            u = W @ [x[t-2*S], x];
            y = tanh(row_sum(c * window(u, S)) + b);
        }

        output y;
    }

    /// Joined columns of inputs, states, parameters and windows.
    pub cell Columns<I, D, N> {
        input x: [I], X: [D, N];
        state C: [D, N], h: [D], s: [N*D];
        param W: [D, N*I], V, E: [N*D, I], U: [D, N*D], P: [D, N] = normal(0.5), b: [N*D] = normal(0.5);

        u = vec(window(x, N));
        v = tanh(V @ x + vec(X) * vec(P) + vec(C[t-1]) * b);
        h = tanh(W @ (u * u) + U @ (v * s[t-1]) + row_sum(X) + U @ vec(window(h[t-1], N, 2)));
        s = 0.5 * v + 0.3 * s[t-1] + E @ x * mean(u);
        C = 0.5 * C[t-1] + (U @ vec(P)) * X;
        y = vec(window((s.T @ b) * h, N)) + U.T @ h + s;

        output y, h, u;
    }

    /// Heads of an Elman network: its recurrent matrix is block-diagonal.
    pub cell Readout<I, D, K, O> {
        input x: [I];
        heads K {
            state h: [D];
            param W: [D, I], U: [D, D], b: [D];
            h = tanh(W @ x + U @ h[t-1] + b);
        }
        param P: [O, K*D];
        y = P @ h;

        output y;
    }

    /// An accumulator: its cotangent passes through unchanged, and a product reads it.
    pub cell Accumulator<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I];

        h = W @ x + h[t-1];

        output h;
    }
}

macro_rules! verify {
    ($($cell:ty),+) => {$(
        let mut cell = <$cell>::init(&mut rng(1));
        verify::<1, _>(&mut cell, 9, &[0, 1, 2, 5]);
        verify::<3, _>(&mut cell, 9, &[0, 1, 2, 5]);
        ragged_batches_are_their_samples(&cell, [7, 1, 0], 5);
    )+};
}

#[test]
fn products_of_heads() {
    verify!(Projections<3, 4, 2, 5, f64>, Projections<3, 4, 1, 5, f64>, Projections<5, 8, 3, 2, f64>);
}

#[test]
fn mixtures_of_shared_values_and_values_of_heads() {
    verify!(Mixed<2, 3, 2, f64>, Mixed<3, 9, 1, f64>, Mixed<1, 8, 3, f64>);
    verify!(Literals<2, 3, f64>, Accumulator<2, 3, f64>, Matrices<3, 2, 2, 4, f64>);
}

#[test]
fn joined_columns() {
    verify!(Columns<2, 3, 4, f64>, Columns<3, 8, 1, f64>, Columns<1, 1, 3, f64>, Columns<3, 9, 5, f64>);
}

#[test]
fn delays_and_windows() {
    verify!(Recent<2, 3, 2, 3, f64>, Recent<3, 8, 1, 2, f64>, Recent<1, 1, 3, 2, f64>);
    verify!(Convolution<2, 3, 2, 3, f64>, Convolution<2, 8, 3, 1, f64>);
}

#[test]
fn two_blocks_and_indices() {
    type Cell<const B: usize> = BlocksInput<2, B, f64>;
    let mut cell = Blocks::<5, 2, 3, 2, f64>::init(&mut rng(1));
    let mut rng = rng(3);
    let mut xs: Vec<Cell<3>> = random_sequence(&mut rng, 6);
    for (t, x) in xs.iter_mut().enumerate() {
        x.w = [t as u32 % 5, 4, (2 * t as u32) % 5];
    }
    let state = random(&mut rng);
    check(&cell, Pass::of(&xs), &state, 2);
    Gradcheck::default().check(&mut cell, &xs[..4], &state).assert_ok();
    Gradcheck::default().check(&mut cell, Pass::of(&xs).lengths([6, 2, 0]), &state).assert_ok();
}

/// Compares a cell of `K` heads with `K` cells of one head each: outputs, states and gradients.
#[test]
fn heads_are_separate_cells() {
    const K: usize = 3;
    let cell = MLstm::<4, 5, K, f64>::init(&mut rng(1));
    let one = |head: usize| OneHead::<4, 5, f64> {
        W_q: cell.W_q[head],
        W_k: cell.W_k[head],
        W_v: cell.W_v[head],
        w_i: cell.w_i[head],
        w_f: cell.w_f[head],
        b_i: cell.b_i[head],
        b_f: cell.b_f[head],
        W_o: cell.W_o.heads[head],
        b_o: cell.b_o.heads[head],
    };
    let xs: Vec<SMatrix<f64, 4, 2>> = random_sequence(&mut rng(2), 12);
    let dys: Vec<Heads<SMatrix<f64, 5, 2>, K>> = random_sequence(&mut rng(3), 12);
    let (mut state, mut tape) = (cell.zero_state::<2>(), cell.tape::<2>());
    let ys = cell.forward(&xs, &mut state, &mut tape).to_vec();
    let mut gradients = MLstm::<4, 5, K, f64>::zeros();
    let mut dxs = vec![SMatrix::zeros(); 12];
    cell.backward(&xs, &mut tape, &dys, Bars::of(&mut gradients).inputs(&mut dxs));

    let mut sum = vec![SMatrix::<f64, 4, 2>::zeros(); 12];
    for head in 0..K {
        let one = one(head);
        let (mut own, mut tape) = (one.zero_state::<2>(), one.tape::<2>());
        let alone = one.forward(&xs, &mut own, &mut tape).to_vec();
        let parts: Vec<_> = ys.iter().map(|y| y.head(head)).collect();
        assert_close("outputs", &all_scalars(&parts), &all_scalars(&alone), 1e-14);
        assert_close("n", &scalars(&state.n.head(head)), &scalars(&own.n), 1e-14);
        assert_close("m", &scalars(&state.m.fixed_rows::<1>(head).into_owned()), &scalars(&own.m), 1e-14);
        assert_close("C", &scalars(&[state.C[0][head], state.C[1][head]]), &scalars(&own.C), 1e-14);
        let dys: Vec<_> = dys.iter().map(|dy| dy.head(head)).collect();
        let (mut own, mut dxs) = (OneHead::<4, 5, f64>::zeros(), vec![SMatrix::zeros(); 12]);
        one.backward(&xs, &mut tape, &dys, Bars::of(&mut own).inputs(&mut dxs));
        assert_close("W_q", &scalars(&gradients.W_q[head]), &scalars(&own.W_q), 1e-12);
        assert_close("W_v", &scalars(&gradients.W_v[head]), &scalars(&own.W_v), 1e-12);
        assert_close("w_f", &scalars(&gradients.w_f[head]), &scalars(&own.w_f), 1e-12);
        assert_close("b_i", &[gradients.b_i[head]], &[own.b_i], 1e-12);
        assert_close("W_o", &scalars(&gradients.W_o.heads[head]), &scalars(&own.W_o), 1e-12);
        sum.iter_mut().zip(&dxs).for_each(|(sum, dx)| *sum += dx);
    }
    assert_close("cotangents of the inputs", &all_scalars(&dxs), &all_scalars(&sum), 1e-12);
}

/// A block of one head gives the bits of the cell without the block.
#[test]
fn one_head_is_the_cell_without_a_block() {
    let (cell, plain) = (MLstm::<4, 9, 1, f64>::init(&mut rng(1)), OneHead::<4, 9, f64>::init(&mut rng(1)));
    assert_same_bits("parameters", &parameters(&cell), &parameters(&plain));
    fn passes<L, const B: usize>(cell: &L) -> Vec<f64>
    where
        L: Cell<B, Scalar = f64, Context = ()>,
        L: Layer<B, Input: Varying<f64>, InputBar: Varying<f64> + Clone>,
    {
        let (xs, dys) = (random_sequence(&mut rng(2), 21), random_sequence::<L::Output>(&mut rng(3), 21));
        let (mut state, mut tape) = (random(&mut rng(4)), cell.tape());
        let mut found = all_scalars(cell.forward(&xs, &mut state, &mut tape));
        found.extend(scalars(&state));
        let (mut gradients, mut dxs) = (cell.zero_gradients(), vec![L::InputBar::zero(); 21]);
        cell.backward(&xs, &mut tape, &dys, Bars::of(&mut *gradients).state(&mut state).inputs(&mut dxs));
        xs.iter().for_each(|x| found.extend(scalars(&cell.step(x, &mut state))));
        found.extend([scalars(&state), parameters(&*gradients), all_scalars(&dxs)].concat());
        found
    }
    assert_same_bits("one sample", &passes::<_, 1>(&cell), &passes::<_, 1>(&plain));
    assert_same_bits("a batch", &passes::<_, 11>(&cell), &passes::<_, 11>(&plain));
}

/// The recurrent matrix of `K` heads is block-diagonal: each is an `SLstm` of its own.
#[test]
fn heads_of_slstm_are_cells_of_the_library() {
    let mut cell = cells::SLstmHeads::<3, 4, 2, f64>::init(&mut rng(1));
    let xs: Vec<SMatrix<f64, 3, 2>> = random_sequence(&mut rng(2), 9);
    let ys = cell.run(&xs, &mut cell.zero_state());
    for head in 0..2 {
        let mut one = cells::SLstm::<3, 4, f64>::zeros();
        let mut values = Vec::new();
        cell.visit_mut(&mut |parameter| {
            if parameter.shape.head == Some((head, 2)) {
                values.push((parameter.name.to_owned(), parameter.values.to_vec()));
            }
        });
        one.visit_mut(&mut |parameter| {
            let own = values.iter().find(|(name, _)| name == parameter.name).unwrap();
            parameter.values.copy_from_slice(&own.1);
        });
        let alone = one.run(&xs, &mut one.zero_state());
        let parts: Vec<_> = ys.iter().map(|y| y.head(head)).collect();
        assert_close("outputs", &all_scalars(&parts), &all_scalars(&alone), 1e-14);
    }
}

/// States are saved and restored with serde, also those of rings, and a restored stream continues.
#[test]
fn states_are_saved_and_restored() {
    let cell = Mixed::<2, 3, 2, f64>::init(&mut rng(1));
    let xs: Vec<SMatrix<f64, 2, 3>> = random_sequence(&mut rng(2), 6);
    let mut state = cell.initial_state();
    for x in &xs[..3] {
        cell.step(x, &mut state);
    }
    let text = serde_json::to_string(&state).unwrap();
    let mut restored: MixedState<3, 2, 3, f64> = serde_json::from_str(&text).unwrap();
    assert_eq!(restored, state);
    let text = serde_json::to_string(&cell).unwrap();
    let other: Mixed<2, 3, 2, f64> = serde_json::from_str(&text).unwrap();
    assert_eq!(other, cell);
    for x in &xs[3..] {
        let (y, again) = (cell.step(x, &mut state), other.step(x, &mut restored));
        assert_same_bits("a restored stream", &scalars(&again), &scalars(&y));
    }
    // One sample of a batch.
    let mut alone = state.sample(1);
    cell.step(&xs[0], &mut state);
    cell.step(&xs[0].column(1).into_owned(), &mut alone);
    assert_close("one sample", &scalars(&state.sample(1)), &scalars(&alone), 1e-14);
}

/// A model of a cell with heads, with the names `cell.W` ..
#[derive(Model)]
struct Memory {
    cell: Readout<1, 4, 3, 1>,
}

/// Gradients are clipped, and parameters updated, head by head.
#[test]
fn models_of_heads_are_updated() {
    let mut model = Memory { cell: Readout::init(&mut rng(1)) };
    let before = model.cell.clone();
    let mut gradients = model.zero_gradients();
    gradients.cell.visit_mut(&mut |parameter| parameter.values.fill(1.0));
    let count = model.parameter_count() as f64;
    assert_eq!(count, 3.0 * (4.0 + 16.0 + 4.0) + 12.0);
    assert!((clip_global_norm(&mut *gradients, 1.0) - count.sqrt()).abs() < 1e-5);
    Sgd::new(1.0).step(&mut model, &gradients);
    let step = 1.0 / count.sqrt() as f32;
    for head in 0..3 {
        let moved = before.U[head].add_scalar(-step);
        assert!((model.cell.U[head] - moved).norm() < 1e-5, "{head}");
    }
    let summary = summary(&model).to_string();
    assert!(summary.contains("   U                    [3, 4, 4]          48\n"), "{summary}");
    assert!(format!("{:?}", model.cell).contains("U: [3, 4, 4] max"), "{:?}", model.cell);
    model.cell.U[1][(2, 3)] = f32::NAN;
    assert_eq!(check_finite(&model).unwrap_err().to_string(), "`cell.U` is NaN at (6, 3)");
    let mut names = Vec::new();
    model.visit(&mut |parameter| names.push((parameter.name.to_owned(), parameter.shape.head)));
    assert_eq!(names[..2], [("cell.W".to_owned(), Some((0, 3))), ("cell.W".to_owned(), Some((1, 3)))]);
}

/// The trainer trains a network with heads, also by truncated BPTT.
#[test]
fn networks_with_heads_learn() {
    type Net = Stack<Readout<1, 4, 3, 2>, Dense<2, 1>>;
    let net = || Net::new(Readout::init(&mut rng(1)), Dense::init(&mut rng(2)));
    let wave = |t: usize| SMatrix::<f32, 1, 4>::from_fn(|_, k| (0.3 * t as f32 + k as f32).sin());
    let xs: Vec<_> = (0..20).map(wave).collect();
    macro_rules! train {
        ($trainer:expr) => {{
            let mut trainer = $trainer.clip_norm(1.0);
            let mut losses = Vec::new();
            for _ in 0..120 {
                let loss = trainer.step(&xs, |out| {
                    out.every_step(|t, y, weights| mean_squared_error_weighted(y, &wave(t + 1), weights))
                });
                losses.push(loss.unwrap());
            }
            let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
            assert!(least < 0.1 * losses[0], "{losses:?}");
        }};
    }
    train!(Trainer::new::<4>(net(), Adam::new(1e-2)));
    train!(Trainer::new::<4>(net(), Adam::new(1e-2)).truncated(5, 5));
}

/// Each head's matrix is visited under one name with its index, and a file has one tensor of all.
#[test]
fn parameters_of_heads_are_visited_and_saved() {
    let cell = Mixed::<2, 3, 4>::init(&mut rng(1));
    let mut seen = Vec::new();
    cell.visit(&mut |parameter| {
        let shape = parameter.shape;
        if parameter.name == "W" {
            assert_eq!(shape.whole, (3, 8));
            seen.push((shape.head, shape.at, shape.size));
        }
        assert_eq!(shape.head.is_some(), ["h_0", "W", "k", "V"].contains(&parameter.name));
    });
    let of = |column, width| (0..4).map(move |head| (Some((head, 4)), (0, column), (3, width)));
    assert_eq!(seen, of(0, 3).chain(of(3, 2)).chain(of(5, 3)).collect::<Vec<_>>());
    assert_eq!(Mixed::<2, 3, 4>::PARAMETER_COUNT, cell.parameter_count());

    let bytes = save(&cell).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for tensor in [
        r#""W":{"dtype":"F32","shape":[4, 3, 8]"#,
        r#""h_0":{"dtype":"F32","shape":[4, 3]"#,
        r#""k":{"dtype":"F32","shape":[4]"#,
        r#""B":{"dtype":"F32","shape":[3, 12]"#,
        r#""U":{"dtype":"F32","shape":[3, 3]"#,
    ] {
        assert!(text.contains(tensor), "{tensor} in {}", &text[..600]);
    }
    let mut loaded = Mixed::<2, 3, 4>::zeros();
    load(&mut loaded, &bytes).unwrap();
    assert_eq!(loaded, cell);

    // Row by row, one head after the other.
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let values: Vec<f32> = file
        .tensor("W")
        .unwrap()
        .data()
        .chunks(4)
        .map(|x| f32::from_le_bytes(x.try_into().unwrap()))
        .collect();
    let entry = |head: usize, row: usize, column: usize| match column {
        0..3 => cell.W.left[head][(row, column)],
        3..5 => cell.W.right.left[head][(row, column - 3)],
        _ => cell.W.right.right[head][(row, column - 5)],
    };
    for (index, value) in values.iter().enumerate() {
        assert_eq!(*value, entry(index / 24, index / 8 % 3, index % 8), "{index}");
    }
}

#[test]
fn stacks_convert_to_matrices() {
    let cell = Projections::<3, 4, 2, 5>::init(&mut rng(1));
    let whole = cell.W_o.to_matrix::<5, 8>();
    assert_eq!(whole.columns(4, 4), cell.W_o.heads[1]);
    let stack: Heads<SMatrix<f64, 3, 2>, 4> = random(&mut rng(1));
    let matrix = stack.to_matrix::<12>();
    assert_eq!(matrix.rows(6, 3), stack.head(2));
    assert_eq!((matrix[(7, 1)], Heads::from_matrix(&matrix)), (stack[(7, 1)], stack));
}

/// Compares a quantised copy with the rounded cell.
#[test]
fn quantised_copies() {
    fn verify<M>(mut cell: M, step: impl Fn(&M, usize) -> Vec<f64>, copy: impl Fn(&M) -> Vec<Vec<f64>>)
    where
        M: ModelMut<Scalar = f64>,
    {
        let stored = copy(&cell);
        round::<Int8>(&mut cell).unwrap();
        for (t, stored) in stored.iter().enumerate() {
            assert_close("quantised", stored, &step(&cell, t), 1e-12);
        }
    }
    macro_rules! verify {
        ($cell:ident, $($size:literal),+; $input:literal) => {{
            let xs: Vec<SMatrix<f64, $input, 2>> = random_sequence(&mut rng(4), 4);
            let run = |cell: &$cell<$($size,)+ f64>, steps: usize| {
                let mut state = cell.initial_state::<2>();
                let ys: Vec<_> = xs[..=steps].iter().map(|x| cell.step(x, &mut state)).collect();
                scalars(&ys[steps])
            };
            let copies = |cell: &$cell<$($size,)+ f64>| {
                let copy = cell.quantised::<Int8>().unwrap();
                let mut state = copy.initial_state::<2>();
                xs.iter().map(|x| scalars(&copy.step(x, &mut state))).collect()
            };
            verify($cell::<$($size,)+ f64>::init(&mut rng(1)), run, copies);
        }};
    }
    verify!(MLstm, 3, 4, 2; 3);
    verify!(MLstm, 3, 17, 1; 3);
    verify!(Mixed, 2, 3, 2; 2);
    verify!(Projections, 3, 4, 2, 5; 3);
    verify!(Literals, 2, 3; 2);
}

#[test]
fn mlstm() {
    verify!(MLstm<3, 4, 2, f64>, MLstm<3, 5, 1, f64>, MLstm<2, 1, 3, f64>);
}

#[test]
fn groups_and_blocks() {
    verify!(Groups<3, 4, 2, 6, 2, f64>, Groups<2, 3, 1, 3, 3, f64>, Groups<2, 2, 3, 3, 1, f64>);
}
