//! The library `nexus-inference`, with fixed cells and inference only. Its readout cannot be left
//! out and has one row.

use benches::measure::Work;
use benches::peers::Kind;
use nexus_inference::{TinyGru, TinyLstm};
use std::hint::black_box;

const BUILT: &str = "the sizes agree";

/// Returns the workload of a step.
pub fn step(kind: Kind, i: usize, h: usize) -> Option<Work<'static>> {
    let gates = if kind == Kind::Lstm { 4 } else { 3 };
    let scale = 1.0 / (h as f32).sqrt();
    let weights = |count: usize| (0..count).map(|k| (k as f32).sin() * scale).collect::<Vec<f32>>();
    let (w_ih, w_hh, zeros) = (weights(gates * h * i), weights(gates * h * h), vec![0.0; gates * h]);
    let (readout, x) = (weights(h), vec![0.5; i]);
    match kind {
        Kind::Lstm => {
            let cell = TinyLstm::from_parts(i, h, 1, &w_ih, &w_hh, &zeros, &zeros, &readout, &[0.0]);
            let mut cell = cell.expect(BUILT);
            Some(Box::new(move || {
                black_box(cell.predict(black_box(&x)));
            }))
        }
        Kind::Gru => {
            let cell = TinyGru::from_parts(i, h, 1, &w_ih, &w_hh, &zeros, &zeros, &readout, &[0.0]);
            let mut cell = cell.expect(BUILT);
            Some(Box::new(move || {
                black_box(cell.predict(black_box(&x)));
            }))
        }
        _ => None,
    }
}
