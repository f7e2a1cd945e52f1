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
