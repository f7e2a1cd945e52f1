//! The network compared with its equations in plain loops, and the sound with that of the crate
//! `nnnoiseless`, which computes `tanh` and `sigmoid` from a table.

use super::*;
use crate::audio;
use nalgebra::SVector;
use nnnoiseless::DenoiseState;
use rnn_cell::cells::ReluGru;
use rnn_cell::rng::uniform;
use rnn_cell::weights::keras;
use std::fs;
use std::path::{Path, PathBuf};

type Output = RnNoiseOutput<BANDS>;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join("rnnoise").join(name)
}

fn weights() -> Vec<u8> {
    fs::read(shipped(WEIGHTS)).unwrap()
}

/// Returns the frames of the shipped speech with noise.
fn noisy_frames() -> Vec<[f32; FRAME]> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let speech = audio::read_mono(&shipped("speech.wav"), RATE).unwrap();
    let (frames, _) = speech.samples.as_chunks();
    frames.iter().map(|frame| frame.map(|sample| sample + uniform(&mut rng, -0.02, 0.02) as f32)).collect()
}

/// Computes `tanh` as the crate does: extrapolated from the nearest of 201 values, each with six
/// decimals.
fn table_tanh(x: f32) -> f32 {
    let size = x.abs();
    if size >= 8.0 {
        return x.signum();
    }
    let entry = (0.5 + 25.0 * size).floor();
    let y = match entry as u32 {
        // Three values are off by one in their last digit.
        70 => 0.992631,
        170 => 0.999997,
        190 => 1.0,
        _ => ((1e6 * (0.04 * f64::from(entry)).tanh()).round() / 1e6) as f32,
    };
    let (rest, slope) = (size - 0.04 * entry, 1.0 - y * y);
    (y + rest * slope * (1.0 - y * rest)) * x.signum()
}

/// The network in plain loops over the bytes of the file, in the order in which the crate adds.
struct Loops<'f> {
    rest: &'f [u8],
    tanh: fn(f32) -> f32,
}

impl<'f> Loops<'f> {
    fn take(&mut self, count: usize) -> &'f [u8] {
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }

    fn sigmoid(&self, x: f32) -> f32 {
        0.5 + 0.5 * (self.tanh)(0.5 * x)
    }

    /// Returns `bias + sum of weights * inputs` for the columns of each product from `first` on.
    fn sums(bias: &[u8], products: &[(&[u8], &[f32])], first: usize, count: usize) -> Vec<f32> {
        let signed = |byte: u8| f32::from(byte.cast_signed());
        let mut sums: Vec<f32> = bias[first..][..count].iter().map(|byte| signed(*byte)).collect();
        for (weights, inputs) in products {
            for (row, input) in weights.chunks(bias.len()).zip(*inputs) {
                sums.iter_mut().zip(&row[first..]).for_each(|(sum, weight)| *sum += signed(*weight) * input);
            }
        }
        sums.iter().map(|sum| sum / 256.0).collect()
    }

    fn dense(&mut self, x: &[f32]) -> Vec<f32> {
        let [inputs, outputs, activation] = self.take(3).try_into().unwrap();
        let (weights, bias) =
            (self.take(usize::from(inputs) * usize::from(outputs)), self.take(outputs.into()));
        let sums = Self::sums(bias, &[(weights, x)], 0, outputs.into());
        sums.iter().map(|sum| if activation == 0 { (self.tanh)(*sum) } else { self.sigmoid(*sum) }).collect()
    }

    fn unit(&mut self, x: &[f32], h: &mut [f32]) {
        let [inputs, units, _] = *self.take(3) else { unreachable!() };
        let (inputs, units) = (usize::from(inputs), usize::from(units));
        let (w, u, bias) =
            (self.take(3 * inputs * units), self.take(3 * units * units), self.take(3 * units));
        let gate = |index, h: &[f32]| Self::sums(bias, &[(w, x), (u, h)], index * units, units);
        let z: Vec<f32> = gate(0, h).iter().map(|z| self.sigmoid(*z)).collect();
        let reset: Vec<f32> = gate(1, h).iter().zip(&*h).map(|(r, h)| h * self.sigmoid(*r)).collect();
        let candidate = gate(2, &reset);
        for (h, (z, c)) in h.iter_mut().zip(z.iter().zip(candidate)) {
            *h = z * *h + (1.0 - z) * c.max(0.0);
        }
    }
}

/// Returns a function that computes the steps of a stream in loops.
fn loops(tanh: fn(f32) -> f32) -> impl FnMut(&SVector<f32, FEATURES>) -> Output {
    let bytes = weights();
    let (mut v, mut n, mut g) = ([0.0; VOICE], [0.0; NOISE], [0.0; GAIN]);
    move |x| {
        let mut file = Loops { rest: &bytes, tanh };
        let x = x.as_slice();
        let d = file.dense(x);
        file.unit(&d, &mut v);
        file.unit(&[&d, &v[..], x].concat(), &mut n);
        file.unit(&[&v[..], &n[..], x].concat(), &mut g);
        let gains = SVector::from_vec(file.dense(&g));
        Output { gains, speech: SVector::from_vec(file.dense(&v)) }
    }
}

/// Denoises the shipped speech with noise. Returns the sound and the probabilities of speech.
fn denoised(mut step: impl FnMut(&[f32; FRAME]) -> ([f32; FRAME], f32)) -> (Vec<f32>, Vec<f32>) {
    let (sound, speech): (Vec<_>, Vec<_>) = noisy_frames().iter().map(&mut step).unzip();
    (sound.concat(), speech)
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert!(a.len() == b.len() && !a.is_empty());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_sound_is_that_of_nnnoiseless() {
    fn by_loops(tanh: fn(f32) -> f32) -> (Vec<f32>, Vec<f32>) {
        let (mut stream, mut network) = (Stream::new(), loops(tanh));
        denoised(|frame| stream.step(frame, &mut network))
    }
    let network = load(&weights()).unwrap();
    let (mut stream, mut state) = (Stream::new(), network.initial_state());
    let cell = denoised(|frame| stream.step(frame, |x| network.step(x, &mut state)));
    let (exact, table) = (by_loops(f32::tanh), by_loops(table_tanh));
    let mut peer = DenoiseState::new();
    let theirs = denoised(|frame| {
        let mut output = [0.0; FRAME];
        let speech = peer.process_frame(&mut output, &frame.map(|sample| 32768.0 * sample));
        (output.map(|sample| sample / 32768.0), speech)
    });
    // The frames, the weights and the equations are those of the crate, to the last bit.
    assert!(table == theirs);
    let [samples, rounding, tables] =
        [(&cell, &theirs), (&cell, &exact), (&exact, &theirs)].map(|(a, b)| worst(&a.0, &b.0));
    let speech = worst(&cell.1, &theirs.1);
    println!(
        "the cell differs from the crate by {samples:.1e} (speech {speech:.1e}), from loops by {rounding:.1e}; \
         loops differ from the crate by {tables:.1e}, and with its table by nothing"
    );
    assert!(samples < 1e-5 && speech < 1e-5 && rounding < 1e-5);
}

#[test]
fn the_gains_are_those_of_plain_loops() {
    let network = load(&weights()).unwrap();
    let mut state = network.initial_state();
    let (mut exact, mut table) = (loops(f32::tanh), loops(table_tanh));
    let mut stream = Stream::new();
    let (mut from_exact, mut from_table) = (0f32, 0f32);
    for frame in noisy_frames() {
        stream.step(&frame, |x| {
            let output = network.step(x, &mut state);
            from_exact = from_exact.max((output.gains - exact(x).gains).amax());
            from_table = from_table.max((output.gains - table(x).gains).amax());
            output
        });
    }
    println!("gains of the cell: {from_exact:.1e} from loops, {from_table:.1e} from loops with a table");
    assert!(from_exact < 1e-5 && from_table < 1e-4);
}

/// The ready cell loads a unit of the file as a layer of Keras, from which it comes.
#[test]
fn a_unit_is_the_ready_cell() {
    let bytes = weights();
    let start = 3 + DENSE * (FEATURES + 1);
    let mut file = Layers { rest: &bytes[start..], tensors: Writer::new() };
    file.unit("gru", [DENSE, VOICE]).unwrap();
    let mut cell = ReluGru::<DENSE, VOICE>::zeros();
    let names = keras::gru_reset_before().prefix("gru.");
    names.load(&mut cell, &file.tensors.into_bytes()).unwrap();

    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let (mut state, mut h, mut worst_difference) = (cell.initial_state(), [0.0; VOICE], 0f32);
    for _ in 0..50 {
        let d = SVector::<f32, DENSE>::from_fn(|_, _| uniform(&mut rng, -1.0, 1.0) as f32);
        Loops { rest: &bytes[start..], tanh: f32::tanh }.unit(d.as_slice(), &mut h);
        worst_difference = worst_difference.max(worst(cell.step(&d, &mut state).as_slice(), &h));
    }
    assert!(worst_difference < 1e-5 && h.iter().any(|h| *h > 0.1), "{worst_difference}, {h:?}");
}

#[test]
fn a_frame_allocates_nothing() {
    let network = load(&weights()).unwrap();
    let frames = noisy_frames();
    let (mut state, mut stream) = (network.initial_state(), Stream::new());
    stream.step(&frames[0], |x| network.step(x, &mut state));
    let used = allocation_counter::measure(|| {
        for frame in &frames[1..4] {
            stream.step(frame, |x| network.step(x, &mut state));
        }
    });
    assert_eq!(used.count_total, 0);
}

#[test]
fn weights_that_do_not_fit_are_reported() {
    let bytes = weights();
    let error = |bytes: &[u8]| load(bytes).unwrap_err().to_string();
    assert_eq!(error(&[]), "the file is cut short: it ends in the layer `dense`");
    assert_eq!(error(&bytes[..50_000]), "the file is cut short: it ends in the layer `denoise`");
    assert_eq!(error(&[&bytes[..], &[0; 3]].concat()), "3 bytes follow the last layer");
    let mut other = bytes;
    other[0] = 43;
    let message = error(&other);
    assert!(message.contains("`dense` is [43, 24, 0], not [42, 24, 0]"), "{message}");
}
