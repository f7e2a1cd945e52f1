//! One step at batch 1, as `step`, prepared and in a sequence, and steps of small batches.

use benches::work::{inputs, rng, step};
use divan::Bencher;
use nalgebra::SMatrix;
use rnn_cell::cell::Layer;
use rnn_cell::cells::{Gru, Lstm};

fn main() {
    divan::main();
}

#[divan::bench(consts = [8, 16, 20, 32, 40, 64, 100, 128])]
fn lstm<const H: usize>(bencher: Bencher) {
    bencher.bench_local(step::<f32, 1, _>(Lstm::<1, H>::init_boxed(&mut rng())));
}

#[divan::bench(consts = [8, 16, 20, 32, 40, 64, 100, 128])]
fn lstm_f64<const H: usize>(bencher: Bencher) {
    bencher.bench_local(step::<f64, 1, _>(Lstm::<1, H, f64>::init_boxed(&mut rng())));
}

#[divan::bench(consts = [8, 16, 20, 32, 40, 64, 100, 128])]
fn lstm_prepared<const H: usize>(bencher: Bencher) {
    let cell = Lstm::<1, H>::init_boxed(&mut rng());
    let (prepared, mut state) = (cell.prepare::<1>(), cell.zero_state());
    let x = SMatrix::<f32, 1, 1>::repeat(0.5);
    bencher.bench_local(|| prepared.step(divan::black_box(&x), &mut state));
}

/// Measures a thousand steps in one call.
#[divan::bench(consts = [8, 16, 20, 32, 40, 64, 100, 128])]
fn lstm_run<const H: usize>(bencher: Bencher) {
    let cell = Lstm::<1, H>::init_boxed(&mut rng());
    let (xs, mut state) = (inputs::<f32, SMatrix<f32, 1, 1>>(1000), cell.zero_state());
    bencher.counter(divan::counter::ItemsCount::new(xs.len())).bench_local(|| cell.run(&xs, &mut state));
}

#[divan::bench(consts = [8, 16, 20, 32, 40, 64, 100, 128])]
fn gru<const H: usize>(bencher: Bencher) {
    bencher.bench_local(step::<f32, 1, _>(Gru::<1, H>::init_boxed(&mut rng())));
}

/// Measures small batches, which must not cost more than as many single steps.
#[divan::bench(consts = [1, 2, 3, 4, 8, 16])]
fn lstm_32_batch<const B: usize>(bencher: Bencher) {
    bencher
        .counter(divan::counter::ItemsCount::new(B))
        .bench_local(step::<f32, B, _>(Lstm::<16, 32>::init_boxed(&mut rng())));
}
