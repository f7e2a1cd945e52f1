//! A step and a training pass of 100 steps of every ready cell and a few unusual ones, at
//! `I = H = 64` and batch 1.

use benches::subjects::{Subject, odd, ready};
use divan::Bencher;
use divan::counter::ItemsCount;

const SIZE: usize = 64;

fn main() {
    divan::main();
}

/// Measures the cell of the given name.
fn with(name: &str, measure: impl FnOnce(Subject)) {
    let mut all = ready::<SIZE, 1>().into_iter().chain(odd::<SIZE, 1>());
    measure(all.find(|subject| subject.name == name).expect("the name is that of a cell"));
}

fn names() -> Vec<&'static str> {
    ready::<SIZE, 1>().iter().chain(&odd::<SIZE, 1>()).map(|subject| subject.name).collect()
}

/// Measures a step. Items are FLOP.
#[divan::bench(args = names())]
fn step(bencher: Bencher, name: &str) {
    with(name, |mut subject| bencher.counter(ItemsCount::new(subject.flops)).bench_local(&mut subject.step));
}

/// Measures a training pass. Items are FLOP.
#[divan::bench(args = names())]
fn train(bencher: Bencher, name: &str) {
    with(name, |mut subject| {
        let flops = 3 * benches::work::STEPS * subject.flops;
        bencher.counter(ItemsCount::new(flops)).bench_local(&mut subject.train);
    });
}
