//! The adding problem (Hochreiter & Schmidhuber 1997) in the later form of Bai, Kolter & Koltun
//! 2018, section 5.

use std::ops::Range;

use nalgebra::SMatrix;
use rnn_cell::rng::{Xoshiro256PlusPlus, below, uniform};

/// Draws a batch of sequences of numbers in `range`, with one number marked in each half, and the
/// sum of the two marked numbers of each sequence. Row 0 of a step holds the number, row 1 the
/// mark. `steps` is even.
pub fn draw<const B: usize>(
    steps: usize,
    range: Range<f64>,
    rng: &mut Xoshiro256PlusPlus,
) -> (Vec<SMatrix<f32, 2, B>>, SMatrix<f32, 1, B>) {
    let mut xs = vec![SMatrix::<f32, 2, B>::zeros(); steps];
    let mut sums = SMatrix::zeros();
    for sample in 0..B {
        xs.iter_mut().for_each(|x| x[(0, sample)] = uniform(rng, range.start, range.end) as f32);
        for half in [0, steps / 2] {
            let at = half + below(rng, steps / 2);
            xs[at][(1, sample)] = 1.0;
            sums[sample] += xs[at][(0, sample)];
        }
    }
    (xs, sums)
}
