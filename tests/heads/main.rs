//! Cells with blocks of heads: gradients, batches, streams, and equality with one cell per head.

#![allow(missing_docs)]

use rnn_cell::inspect::gradcheck::{Checked, Gradcheck};
use rnn_cell::prelude::*;
use tests::exactness::{check, ragged_batches_are_their_samples, random, random_sequence, rng};

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
}

/// Checks the general properties and the gradients at one batch size.
fn verify<const B: usize, L>(cell: &mut L)
where
    L: Cell<B> + Checked<B> + Layer<B, Context = ()>,
{
    let mut rng = rng(99);
    let xs: Vec<L::Input> = random_sequence(&mut rng, 9);
    let state: L::State = random(&mut rng);
    check(cell, Pass::of(&xs), &state, 3);
    for steps in [1, 4] {
        Gradcheck::default().check(cell, &xs[..steps], &state).assert_ok();
    }
}

macro_rules! verify {
    ($($cell:ty),+) => {$(
        let mut cell = <$cell>::init(&mut rng(1));
        verify::<1, _>(&mut cell);
        verify::<3, _>(&mut cell);
        ragged_batches_are_their_samples(&cell, [7, 3, 1, 0], 5);
    )+};
}

#[test]
fn products_of_heads() {
    verify!(Projections<3, 4, 2, 5, f64>, Projections<3, 4, 1, 5, f64>, Projections<5, 8, 3, 2, f64>);
}

#[test]
fn mlstm() {
    verify!(MLstm<3, 4, 2, f64>, MLstm<3, 5, 1, f64>, MLstm<2, 1, 3, f64>);
}
