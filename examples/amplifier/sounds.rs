//! A synthetic guitar, and a synthetic amplifier for the network to learn.

use nalgebra::{Cholesky, DMatrix, DVector};
use rnn_cell::rng::{Xoshiro256PlusPlus, below, uniform};
use std::f32::consts::TAU;

/// The number of samples per second.
pub const RATE: u32 = 48_000;

/// Returns the sound of plucked strings (Karplus & Strong 1983): a loud or soft chord or note every
/// half second or so.
pub fn guitar(samples: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f32> {
    let mut sound = vec![0.0; samples];
    let mut start = 0;
    while start < samples {
        let strings = [1, 1, 2, 3][below(rng, 4)];
        let loudness = uniform(rng, 0.05, 0.5) as f32;
        for _ in 0..strings {
            // The frequencies are semitones from the low E (82 Hz) three octaves up.
            let frequency = 82.41 * 2f64.powf(below(rng, 37) as f64 / 12.0);
            let period = (f64::from(RATE) / frequency) as usize;
            let mut string: Vec<f32> = (0..period).map(|_| uniform(rng, -1.0, 1.0) as f32).collect();
            let damping = uniform(rng, 0.990, 0.999) as f32;
            for (n, sample) in sound[start..].iter_mut().enumerate() {
                let (at, next) = (n % period, (n + 1) % period);
                *sample += loudness * string[at] / (strings as f32).sqrt();
                string[at] = damping * 0.5 * (string[at] + string[next]);
            }
        }
        let length = uniform(rng, 0.2, 0.9) * f64::from(RATE);
        // The player damps the strings before the next stroke.
        start += length as usize;
        sound[start.min(samples)..].fill(0.0);
    }
    sound
}

/// Returns the output of the amplifier: a high-pass filter of 100 Hz, a gain of 20 dB into a tube
/// that clips one side earlier than the other, and a low-pass filter of 4 kHz.
pub fn amplifier(sound: &[f32]) -> Vec<f32> {
    let pole = |frequency: f32| (-TAU * frequency / RATE as f32).exp();
    let (high, low) = (pole(100.0), pole(4000.0));
    let (mut slow, mut smooth) = (0.0, 0.0);
    let bias = 0.3_f32;
    let amplify = |x: &f32| {
        slow = high * slow + (1.0 - high) * x;
        let clipped = (10.0 * (x - slow) + bias).tanh() - bias.tanh();
        smooth = low * smooth + (1.0 - low) * clipped;
        0.5 * smooth
    };
    sound.iter().map(amplify).collect()
}

/// Returns the energy of the error divided by the energy of the truth (Wright et al. 2019): 1 for
/// silence, 0 for the truth.
pub fn error_to_signal(ys: &[f32], truth: &[f32]) -> f64 {
    let energy =
        |values: &mut dyn Iterator<Item = f32>| -> f64 { values.map(|v| f64::from(v).powi(2)).sum() };
    energy(&mut ys.iter().zip(truth).map(|(y, truth)| y - truth))
        / energy(&mut truth.iter().copied()).max(1e-12)
}

/// Returns the best linear filter of `taps` taps, an impulse response fitted to `xs` and `truth` by
/// least squares.
pub fn linear_filter(xs: &[f32], truth: &[f32], taps: usize) -> Option<Vec<f64>> {
    let correlation = |lag: usize, ys: &[f32]| -> f64 {
        xs.iter().zip(&ys[lag..]).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    let own: Vec<f64> = (0..taps).map(|lag| correlation(lag, xs)).collect();
    let mut matrix = DMatrix::from_fn(taps, taps, |row, column| own[row.abs_diff(column)]);
    matrix.fill_diagonal(own[0] * (1.0 + 1e-6));
    let target = DVector::from_fn(taps, |lag, _| correlation(lag, truth));
    Some(Cholesky::new(matrix)?.solve(&target).as_slice().to_vec())
}

/// Returns the output of a filter.
pub fn filtered(xs: &[f32], filter: &[f64]) -> Vec<f32> {
    let at = |t: usize| -> f64 {
        filter.iter().zip(xs[..=t].iter().rev()).map(|(tap, x)| tap * f64::from(*x)).sum()
    };
    (0..xs.len()).map(|t| at(t) as f32).collect()
}
