//! Random cells: definitions that nobody thought of, compiled and checked. The build script writes them from
//! a seed:
//!
//! ```text
//! RANDOM_SEED=1000 RANDOM_CELLS=100 cargo test -p tests --test random
//! ```
//!
//! checks as many others as one likes. A failing test prints its definition.

#![allow(missing_docs)]

use rnn_cell::cell::{Cell, ContextLayer, Layer, ModelMut};
use rnn_cell::gradcheck::Gradcheck;
use rnn_cell::rng::Xoshiro256PlusPlus;
use rnn_cell::varying::Varying;
use tests::exactness::{check, random, rng};

include!(concat!(env!("OUT_DIR"), "/random.rs"));

const STEPS: usize = 3;

/// Two directions a parameter: there are dozens of parameters.
fn gradcheck(seed: u64) -> Gradcheck {
    Gradcheck { directions: 4, seed, ..Gradcheck::default() }
}

/// Without optimisation, the code of forty equations has large stack frames.
fn on_a_large_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(test).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Shows the definition if the test fails.
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
    L: ModelMut + Cell<B> + Layer<B, Scalar = f64, Input: Varying<f64> + Clone, InputBar: Varying<f64>>,
    L: Layer<B, State: Varying<f64> + Clone, Output: Varying<f64> + Clone>,
{
    let _show = Show(definition);
    let mut rng = rng(seed);
    let xs = sequence(&mut rng, fill);
    let state: L::State = random(&mut rng);
    gradcheck(seed).check(&mut cell, &xs, None, &state).assert_ok();
    check(&cell, &xs, &state, seed);
}

fn verify_with_context<const B: usize, L>(
    seed: u64,
    definition: &'static str,
    mut cell: L,
    fill: fn(&mut L::Input, &mut Xoshiro256PlusPlus),
) where
    L: ModelMut + ContextLayer<B, Scalar = f64, Input: Varying<f64> + Clone, InputBar: Varying<f64>>,
    L: ContextLayer<
            B,
            Context: Varying<f64> + Clone,
            State: Varying<f64> + Clone,
            Output: Varying<f64> + Clone,
        >,
{
    let _show = Show(definition);
    let mut rng = rng(seed);
    let xs = sequence(&mut rng, fill);
    let context: L::Context = random(&mut rng);
    let state: L::State = random(&mut rng);
    gradcheck(seed).check_context(&mut cell, &xs, &context, None, &state).assert_ok();
    check(&cell.with(&context), &xs, &state, seed);
}
