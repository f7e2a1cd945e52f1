//! Every function and operator of the language, each in its own cell. Values are compared with
//! Rust's, derivatives with central differences. Points without a derivative follow conventions.

#![allow(missing_docs)]
// `σ`, an alias of `sigmoid`, is tested too.
#![allow(confusable_idents, mixed_script_confusables)]

mod conventions;
mod operators;
mod values;

use rnn_cell::cell::{Cell, Layer, Pass};
use rnn_cell::inspect::gradcheck::{Checked, gradcheck};
use tests::exactness::{check, random, random_sequence, rng};

/// Checks the gradients and all other properties of a cell without a one-hot input.
#[track_caller]
fn verify<const B: usize, L>(cell: &mut L)
where
    L: Cell<B> + Checked<B> + Layer<B, Context = ()>,
{
    let mut rng = rng(2024);
    let xs: Vec<L::Input> = random_sequence(&mut rng, 4);
    let state: L::State = random(&mut rng);
    gradcheck::<_, B>(cell, &xs, &state).assert_ok();
    check(cell, Pass::of(&xs), &state, 7);
}
