//! Every ready cell and a few odd ones at `I = H = 64`, batch 1: a step, and a training pass of 100 steps.

use benches::subjects::{Subject, odd, ready};
use divan::Bencher;
use divan::counter::ItemsCount;

const SIZE: usize = 64;

fn main() {
    divan::main();
}

/// A ready or an odd cell, its parameters built.
fn with(name: &str, measure: impl FnOnce(Subject)) {
    let mut all = ready::<SIZE, 1>().into_iter().chain(odd::<SIZE, 1>());
    measure(all.find(|subject| subject.name == name).expect("the names are those of the cells"));
}

fn names() -> Vec<&'static str> {
    ready::<SIZE, 1>().iter().chain(&odd::<SIZE, 1>()).map(|subject| subject.name).collect()
}

/// Items are FLOP.
#[divan::bench(args = names())]
fn step(bencher: Bencher, name: &str) {
    with(name, |mut subject| bencher.counter(ItemsCount::new(subject.flops)).bench_local(&mut subject.step));
}

/// Items are FLOP.
#[divan::bench(args = names())]
fn train(bencher: Bencher, name: &str) {
    with(name, |mut subject| {
        let flops = 3 * benches::work::STEPS * subject.flops;
        bencher.counter(ItemsCount::new(flops)).bench_local(&mut subject.train);
    });
}
