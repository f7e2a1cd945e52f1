//! Values of earlier steps: delays and windows, in streams, sequences, batches and gradients.

#![allow(missing_docs)]

use rnn_cell::inspect::gradcheck::{Checked, Gradcheck};
use rnn_cell::prelude::*;
use tests::exactness::{check, ragged_batches_are_their_samples, random, random_sequence, rng};

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

    /// Delays of states, of equations that depend on them, and of ones that do not, by several
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
}

/// Checks a cell without a context, alone and in batches, with short and long sequences. A batch of
/// 100 is cut into chunks of two steps.
macro_rules! verify {
    ($cell:expr) => {{
        let mut cell = $cell;
        verify::<1, _>(&mut cell);
        verify::<3, _>(&mut cell);
        ragged_batches_are_their_samples(&cell, [7, 3, 1, 0], 5);
        ragged_batches_are_their_samples(&cell, [2, 6], 5);
        chunks::<100, _>(&mut cell);
    }};
}

fn verify<const B: usize, L>(cell: &mut L)
where
    L: Cell<B> + Checked<B> + Layer<B, Context = ()>,
{
    let mut rng = rng(99);
    let xs: Vec<L::Input> = random_sequence(&mut rng, 13);
    let state: L::State = random(&mut rng);
    check(cell, Pass::of(&xs), &state, 3);
    for steps in [0, 1, 2, 9] {
        Gradcheck::default().check(cell, &xs[..steps], &state).assert_ok();
    }
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
