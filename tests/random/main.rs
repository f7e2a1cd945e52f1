//! Random cells and small cells. The build script writes definitions, and this test compiles and
//! checks them. A failing test prints its definition. The command for other seeds and all small
//! cells is
//!
//! ```text
//! RANDOM_SEED=1000 RANDOM_CELLS=100 SMALL_CELLS=1 cargo test -p tests --test random
//! ```

#![allow(missing_docs)]

use rnn_cell::cell::{Cell, ModelMut, Pass};
use rnn_cell::inspect::gradcheck::{Check, Checked, Gradcheck, Report};
use rnn_cell::rng::Xoshiro256PlusPlus;
use rnn_cell::types::varying::Varying;
use std::collections::BTreeSet;
use tests::exactness::{check, random, rng};

include!(concat!(env!("OUT_DIR"), "/random.rs"));

const STEPS: usize = 3;

/// Returns a gradient check with few directions per parameter, since there are dozens of
/// parameters.
fn gradcheck(seed: u64) -> Gradcheck {
    Gradcheck { directions: 4, seed, ..Gradcheck::default() }
}

/// The number of points that are tried for a parameter. At some points, its derivative cannot be
/// compared because the loss is not differentiable in any of the directions, or because rounding
/// hides the effect.
const POINTS: u64 = 4;

/// Panics if a gradient that could be compared is wrong.
fn assert_right(report: &Report) {
    let is_right = |check: &Check| check.compared == 0 || check.error <= report.tolerance;
    assert!(report.violations.is_empty() && report.checks.iter().all(is_right), "{report}");
}

/// Checks the gradients at one point, and tries other points for parameters that cannot be compared
/// there. A wrong gradient at any point is an error.
fn check_gradients<L: ModelMut<Scalar = f64>>(cell: &mut L, mut at_point: impl FnMut(u64, &mut L) -> Report) {
    let mut unchecked: Option<BTreeSet<String>> = None;
    for point in 0..POINTS {
        let report = at_point(point, cell);
        assert_right(&report);
        let here = report
            .checks
            .iter()
            .filter(|check| check.compared == 0)
            .map(|check| check.name.clone())
            .collect();
        let left = match unchecked.take() {
            Some(before) => &before & &here,
            None => here,
        };
        if left.is_empty() {
            return;
        }
        eprintln!("at point {point}, these parameters could not be compared: {left:?}\n{report}");
        unchecked = Some(left);
        let mut rng = rng(point);
        cell.visit_mut(&mut |parameter| {
            parameter.values.iter_mut().for_each(|value| *value += 0.3 * rnn_cell::rng::normal(&mut rng));
        });
    }
    panic!("these parameters could not be compared at any of {POINTS} points: {unchecked:?}");
}

/// Runs a test on a large stack, since unoptimised code of forty equations has large stack frames.
fn on_a_large_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(test).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A guard that prints the definition if the test panics.
struct Show(&'static str);

impl Drop for Show {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the definition:\n{}", self.0);
        }
    }
}

fn sequence<I: Varying<f64>>(
    rng: &mut Xoshiro256PlusPlus,
    fill: fn(&mut I, &mut Xoshiro256PlusPlus),
) -> Vec<I> {
    let mut input = || {
        let mut x: I = random(rng);
        fill(&mut x, rng);
        x
    };
    (0..STEPS).map(|_| input()).collect()
}

fn verify<const B: usize, L>(
    seed: u64,
    definition: &'static str,
    mut cell: L,
    fill: fn(&mut L::Input, &mut Xoshiro256PlusPlus),
) where
    L: Cell<B> + Checked<B>,
{
    let _show = Show(definition);
    let mut rng = rng(seed);
    let xs = sequence(&mut rng, fill);
    let context: L::Context = random(&mut rng);
    let state: L::State = random(&mut rng);
    let pass = Pass::of(&xs).context(&context);
    check(&cell, pass, &state, seed);
    let lengths = std::array::from_fn(|sample| STEPS.saturating_sub(2 * sample));
    assert_right(&gradcheck(seed).check(&mut cell, pass.lengths(lengths), &state));
    check_gradients(&mut cell, |point, cell| match point {
        0 => gradcheck(seed).check(cell, pass, &state),
        _ => {
            let (xs, context) = (sequence(&mut rng, fill), random(&mut rng));
            gradcheck(seed).check(cell, Pass::of(&xs).context(&context), &random(&mut rng))
        }
    });
}
