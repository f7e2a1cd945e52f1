//! Logarithmic mel spectra of a stream of sound, equal to those of `librosa.feature.melspectrogram`
//! with its defaults: a periodic Hann window, the power of the spectrum, and Slaney's triangular
//! filters of equal area. The frames are not centred, so that the first one needs no samples from
//! before the start (`center=False`).

use nalgebra::SVector;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// The power that is added before the logarithm.
pub const FLOOR: f64 = 1e-6;

/// The rate of the sound and the length of the frames.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The number of samples per second.
    pub rate: u32,
    /// The number of samples of a frame.
    pub size: usize,
    /// The number of samples between the starts of two frames.
    pub hop: usize,
}

/// A filter over the bins of a spectrum: the first bin and the weights.
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

/// The computation of frames of `N` bands. It keeps the samples that the next frame needs.
pub struct LogMel<const N: usize> {
    hop: usize,
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    filters: [Filter; N],
    pending: Vec<f32>,
    windowed: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl<const N: usize> LogMel<N> {
    /// Prepares the computation, for bands up to half the rate.
    ///
    /// # Panics
    /// Panics if a frame is shorter than a hop, or has no samples.
    pub fn new(Settings { rate, size, hop }: Settings) -> Self {
        assert!(0 < hop && hop <= size, "a frame of {size} samples is shorter than a hop of {hop}");
        let fft = RealFftPlanner::new().plan_fft_forward(size);
        Self {
            hop,
            window: (0..size).map(|n| 0.5 - 0.5 * (TAU * n as f64 / size as f64).cos()).collect(),
            filters: filters(f64::from(rate), size),
            pending: Vec::new(),
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    /// Reads the next samples of the stream and calls `frame` with every frame that they complete.
    pub fn push(&mut self, samples: &[f32], mut frame: impl FnMut(SVector<f32, N>)) {
        self.pending.extend_from_slice(samples);
        let size = self.window.len();
        let mut start = 0;
        while start + size <= self.pending.len() {
            frame(self.frame(start));
            start += self.hop;
        }
        self.pending.drain(..start);
    }

    /// Computes the frames of a whole sound.
    pub fn frames(&mut self, samples: &[f32]) -> Vec<SVector<f32, N>> {
        self.pending.clear();
        let mut frames = Vec::new();
        self.push(samples, |frame| frames.push(frame));
        self.pending.clear();
        frames
    }

    /// Computes the frame that starts at a pending sample.
    fn frame(&mut self, start: usize) -> SVector<f32, N> {
        let samples = &self.pending[start..];
        for ((windowed, window), sample) in self.windowed.iter_mut().zip(&self.window).zip(samples) {
            *windowed = window * f64::from(*sample);
        }
        self.fft
            .process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch)
            .expect("the buffers come from the plan");
        SVector::from_fn(|band, _| {
            let Filter { first, weights } = &self.filters[band];
            let bins = self.spectrum[*first..].iter().zip(weights);
            let power: f64 = bins.map(|(bin, weight)| weight * bin.norm_sqr()).sum();
            (power + FLOOR).ln() as f32
        })
    }
}

/// Returns Slaney's triangular filters: linear below 1 kHz, logarithmic above.
fn filters<const N: usize>(rate: f64, size: usize) -> [Filter; N] {
    const PER_MEL: f64 = 200.0 / 3.0;
    const BREAK: f64 = 1000.0;
    let step = 6.4_f64.ln() / 27.0;
    let to_mel = |f: f64| if f < BREAK { f / PER_MEL } else { BREAK / PER_MEL + (f / BREAK).ln() / step };
    let to_hertz = |mel: f64| {
        if mel < BREAK / PER_MEL { mel * PER_MEL } else { BREAK * ((mel - BREAK / PER_MEL) * step).exp() }
    };
    let edge = |k: usize| to_hertz(to_mel(rate / 2.0) * k as f64 / (N + 1) as f64);
    std::array::from_fn(|band| {
        let [low, middle, high] = [0, 1, 2].map(|k| edge(band + k));
        let weight = |bin: usize| {
            let f = bin as f64 * rate / size as f64;
            let rise = (f - low) / (middle - low);
            let fall = (high - f) / (high - middle);
            rise.min(fall).max(0.0) * 2.0 / (high - low)
        };
        let mut bins = (0..=size / 2).skip_while(|bin| weight(*bin) == 0.0).peekable();
        let first = bins.peek().copied().unwrap_or(0);
        Filter { first, weights: bins.map(weight).take_while(|weight| *weight > 0.0).collect() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::read_at;
    use std::path::Path;

    const BANDS: usize = 40;

    fn speech() -> (Vec<f32>, Vec<f64>, LogMel<BANDS>) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        let sound = read_at(&folder.join("silero/speech.wav"), 16_000).unwrap();
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../data/spoken_digits/librosa.json")).unwrap();
        let number = |key: &str| reference[key].as_u64().unwrap();
        let settings =
            Settings { rate: 16_000, size: number("n_fft") as usize, hop: number("hop_length") as usize };
        assert_eq!((number("n_mels"), number("every")), (BANDS as u64, EVERY as u64));
        let values = reference["values"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        (sound.samples, values, LogMel::new(settings))
    }

    /// The reference contains one frame in ten.
    const EVERY: usize = 10;

    /// The sound is a recording of speech.
    #[test]
    fn spectra_agree_with_librosa() {
        let (samples, want, mut mel) = speech();
        let frames = mel.frames(&samples);
        let got: Vec<f32> = frames.iter().step_by(EVERY).flat_map(|frame| frame.iter().copied()).collect();
        assert_eq!(got.len(), want.len());
        let error = got.iter().zip(&want).map(|(got, want)| (f64::from(*got) - want).abs());
        let worst = error.fold(0.0, f64::max);
        assert!(worst < 1e-5, "{worst}");
        // The bands differ by more than 13 nepers, so the agreement is not that of silence.
        let (low, high) =
            want.iter().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
        assert!(high - low > 13.0, "{low} to {high}");
    }

    #[test]
    fn a_stream_has_the_frames_of_the_whole() {
        let (samples, _, mut mel) = speech();
        let samples = &samples[..8000];
        let whole = mel.frames(samples);
        for block in [1, 7, 160, 513, 4000] {
            let mut frames = Vec::new();
            samples.chunks(block).for_each(|block| mel.push(block, |frame| frames.push(frame)));
            assert_eq!(frames, whole);
            mel.pending.clear();
        }
        assert!(mel.frames(&samples[..300]).is_empty());
    }
}
