//! The frames around the network: features of the sound before it, gains of the spectrum after it.
//! The features and the filter of the pitch are those of the crate `nnnoiseless`.

use super::RnNoiseOutput;
use nalgebra::SVector;
use nnnoiseless::DenoiseFeatures;
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner};
use std::f64::consts::FRAC_PI_2;
use std::fmt;
use std::sync::Arc;

/// The number of samples per second.
pub const RATE: u32 = 48_000;
/// The number of samples per frame.
pub const FRAME: usize = 480;
/// The number of features of a frame.
pub const FEATURES: usize = 42;
/// The number of frequency bands.
pub const BANDS: usize = 22;

const WINDOW: usize = 2 * FRAME;
const BINS: usize = WINDOW / 2 + 1;
/// The bin at the peak of each band. A band falls to zero at the peaks of its neighbours.
const PEAKS: [usize; BANDS] =
    [0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 136, 160, 192, 240, 312, 400];
/// The factor by which a gain falls from frame to frame at most, so that echoes are kept.
const DECAY: f32 = 0.6;
/// The full scale of the features, which are those of 16-bit samples.
const FULL_SCALE: f32 = 32768.0;

/// The state of a stream of frames. Windows of two frames overlap by one, so that the output is one
/// frame behind the input.
pub struct Stream {
    features: Box<DenoiseFeatures>,
    gains: SVector<f32, BANDS>,
    window: [f32; WINDOW],
    inverse: Arc<dyn ComplexToReal<f32>>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    wave: Vec<f32>,
    /// The second half of the last window.
    tail: [f32; FRAME],
}

impl Stream {
    /// Creates the state of a new stream.
    pub fn new() -> Self {
        let inverse = RealFftPlanner::new().plan_fft_inverse(WINDOW);
        Self {
            features: Box::new(DenoiseFeatures::new()),
            gains: SVector::zeros(),
            window: std::array::from_fn(|n| {
                // Vorbis's window, whose squares add up to 1.
                let sine = (FRAC_PI_2 * (n as f64 + 0.5) / FRAME as f64).sin();
                (FRAC_PI_2 * sine * sine).sin() as f32
            }),
            spectrum: inverse.make_input_vec(),
            scratch: inverse.make_scratch_vec(),
            wave: inverse.make_output_vec(),
            inverse,
            tail: [0.0; FRAME],
        }
    }

    /// Processes the next frame; full scale is -1 to 1. Returns the frame before it without noise,
    /// and the probability of speech. In silence, `network` is not called and the probability is 0.
    pub fn step(
        &mut self,
        frame: &[f32; FRAME],
        network: impl FnOnce(&SVector<f32, FEATURES>) -> RnNoiseOutput<BANDS>,
    ) -> ([f32; FRAME], f32) {
        let mut gains = [1.0; BINS];
        let mut speech = 0.0;
        self.features.shift_and_filter_input(&frame.map(|sample| sample * FULL_SCALE));
        let is_silent = self.features.compute_frame_features();
        if !is_silent {
            let output = network(&SVector::from_column_slice(self.features.features()));
            self.features.pitch_filter(&output.gains.data.0[0]);
            self.gains = output.gains.sup(&(self.gains * DECAY));
            gains = interpolated(&self.gains);
            speech = output.speech[0];
        }
        for ((bin, value), gain) in self.spectrum.iter_mut().zip(&self.features.x[..]).zip(gains) {
            *bin = value * gain;
        }
        (self.synthesise(), speech)
    }

    /// Computes the sound of the spectrum, windowed, and adds the end of the previous window.
    fn synthesise(&mut self) -> [f32; FRAME] {
        self.inverse
            .process_with_scratch(&mut self.spectrum, &mut self.wave, &mut self.scratch)
            .expect("the first and the last bin of a real signal are real");
        // The transforms back and forth multiply by the length of a window, the features divide by
        // the sum of the window's squares, half of it.
        self.wave.iter_mut().zip(&self.window).for_each(|(sample, weight)| *sample *= weight / 2.0);
        let frame = std::array::from_fn(|n| (self.wave[n] + self.tail[n]) / FULL_SCALE);
        self.tail.copy_from_slice(&self.wave[FRAME..]);
        frame
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("gains", &self.gains).finish_non_exhaustive()
    }
}

/// Interpolates the gains of the bands. Bins above the last band have gain zero.
fn interpolated(gains: &SVector<f32, BANDS>) -> [f32; BINS] {
    let mut bins = [0.0; BINS];
    for (band, edges) in PEAKS.windows(2).enumerate() {
        let bins = &mut bins[edges[0]..edges[1]];
        let width = bins.len() as f32;
        for (index, gain) in bins.iter_mut().enumerate() {
            let share = index as f32 / width;
            *gain = (1.0 - share) * gains[band] + share * gains[band + 1];
        }
    }
    bins
}
