//! The network compared with ONNX Runtime, and the segments compared with Silero's own code.

use super::*;
use crate::audio;
use rnn_cell::quantised::{Bf16, Int8, Int8By16, Quantised};
use serde_json::Value;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join("silero").join(name)
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&fs::read(shipped(name)).unwrap()).unwrap()
}

/// Returns all numbers in a value, in order.
fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap() as f32],
    }
}

fn worst(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).map(|(got, want)| (got - want).abs()).fold(0.0, f32::max)
}

#[test]
fn every_probability_is_that_of_onnx_runtime() {
    let vad = Vad::load(&fs::read(shipped(WEIGHTS)).unwrap()).unwrap();
    let speech = audio::read(&shipped("speech.wav")).unwrap();
    let reference = json("speech.json");
    let (inputs, state) =
        (numbers(&reference["lstm_input_first_20_chunks"]), numbers(&reference["state_h_c_after_chunk_20"]));
    let probabilities = numbers(&reference["probability"]);
    let (chunks, _) = speech.samples.as_chunks();
    assert_eq!((chunks.len(), probabilities.len()), (239, 239));

    let mut stream = vad.stream();
    let mut computed = vec![];
    let mut read = vec![];
    let mut worst_state = f32::NAN;
    for (index, chunk) in chunks.iter().enumerate() {
        if index < 20 {
            read.extend_from_slice(vad.features(chunk, &mut stream.clone()).as_slice());
        }
        computed.push(vad.step(chunk, &mut stream));
        if index == 19 {
            let both = [stream.lstm.h.as_slice(), stream.lstm.c.as_slice()].concat();
            worst_state = worst(&both, &state);
        }
    }
    let (worst_input, worst_probability) = (worst(&read, &inputs), worst(&computed, &probabilities));
    println!(
        "largest differences: probabilities {worst_probability:.1e}, LSTM inputs {worst_input:.1e}, states {worst_state:.1e}"
    );
    assert!(worst_probability < 1e-4 && worst_input < 1e-4 && worst_state < 1e-4);
}

/// Checks the effect of matrices in 8 or 16 bits against bounds: the error of the probabilities,
/// and the number of chunks that change sides at 0.5.
#[test]
fn matrices_in_fewer_bits_detect_the_same_speech() {
    fn probabilities(vad: &Vad, chunks: &[[f32; CHUNK]]) -> Vec<f32> {
        let mut stream = vad.stream();
        chunks.iter().map(|chunk| vad.step(chunk, &mut stream)).collect()
    }
    let bytes = fs::read(shipped(WEIGHTS)).unwrap();
    let speech = audio::read(&shipped("speech.wav")).unwrap();
    let (chunks, _) = speech.samples.as_chunks();
    let [exact, mut small, mut halves] = [0; 3].map(|_| Vad::load(&bytes).unwrap());
    small.round::<Int8>().unwrap();
    halves.round::<Bf16>().unwrap();
    let exact = probabilities(&exact, chunks);
    for (name, vad, bound) in [("int8", small, 0.05), ("bf16", halves, 0.005)] {
        let own = probabilities(&vad, chunks);
        let mean = own.iter().zip(&exact).map(|(a, b)| (a - b).abs()).sum::<f32>() / own.len() as f32;
        let flips = own.iter().zip(&exact).filter(|(a, b)| (**a > 0.5) != (**b > 0.5)).count();
        let worst = worst(&own, &exact);
        println!(
            "{name}: errors of probabilities: {worst:.1e} at most, {mean:.1e} on average; {flips} of {} change sides",
            own.len()
        );
        assert!(worst < bound && flips == 0, "{name}");
    }
}

/// Checks that the copies of the layers which the emulated microcontroller of
/// `tests/targets/run.sh` runs are those of the weights, and bounds their effect on the
/// probabilities. `SILERO=overwrite cargo test -p examples silero` writes the files again.
#[test]
fn shipped_copies_detect_the_same_speech() {
    fn shipped_copy<Q: Quantised>(file: &str, copy: &Q) {
        let mut bytes = vec![0; Q::BYTES];
        assert!(copy.write(&mut bytes));
        let file = shipped("int8_by_16").join(file);
        if env::var("SILERO").is_ok_and(|todo| todo == "overwrite") {
            fs::write(&file, &bytes).unwrap();
        }
        assert!(fs::read(&file).unwrap() == bytes, "{}: not the copy of the weights", file.display());
    }
    macro_rules! copy {
        ($layer:expr, $file:literal) => {{
            let copy = $layer.quantised_boxed::<Int8By16>().unwrap();
            shipped_copy($file, &*copy);
            copy
        }};
    }
    let vad = Vad::load(&fs::read(shipped(WEIGHTS)).unwrap()).unwrap();
    let (first, second, third, fourth) = &vad.convolutions;
    let copies = Layers {
        spectrum: copy!(vad.spectrum, "spectrum"),
        convolutions: (
            copy!(first, "convolution_1"),
            copy!(second, "convolution_2"),
            copy!(third, "convolution_3"),
            copy!(fourth, "convolution_4"),
        ),
        lstm: copy!(vad.lstm, "lstm"),
        output: copy!(vad.output, "output"),
    };

    let speech = audio::read(&shipped("speech.wav")).unwrap();
    let (chunks, _) = speech.samples.as_chunks();
    let (mut stream, mut exact) = (copies.stream(), vad.stream());
    let (mut worst, mut flips) = (0.0f32, 0);
    for chunk in chunks {
        let (own, exact) = (copies.step(chunk, &mut stream), vad.step(chunk, &mut exact));
        worst = worst.max((own - exact).abs());
        flips += usize::from((own > 0.5) != (exact > 0.5));
    }
    println!(
        "int8by16: errors of probabilities: {worst:.1e} at most; {flips} of {} change sides",
        chunks.len()
    );
    assert!(worst < 0.05 && flips == 0);
}

#[test]
fn a_step_allocates_nothing() {
    let vad = Vad::load(&fs::read(shipped(WEIGHTS)).unwrap()).unwrap();
    let mut stream = vad.stream();
    vad.step(&[0.1; CHUNK], &mut stream);
    let used = allocation_counter::measure(|| {
        for _ in 0..3 {
            vad.step(&[0.2; CHUNK], &mut stream);
        }
    });
    assert_eq!(used.count_total, 0);
}

#[test]
fn weights_that_do_not_fit_are_reported() {
    let bytes = fs::read(shipped(WEIGHTS)).unwrap();
    let error = |bytes: &[u8]| Vad::load(bytes).unwrap_err().to_string();
    assert!(error(&bytes[..1000]).contains("safetensors"), "{}", error(&bytes[..1000]));
    let renamed = |from: &str, to: &str| {
        let header = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut bytes = bytes.clone();
        bytes[header..header + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    let message = error(&renamed("conv2.weight", "conv2.wright"));
    assert!(message.contains("lack the tensor `conv2.weight`"), "{message}");
    let message = error(&renamed("[128,129,3]", "[129,128,3]"));
    assert!(message.contains("`conv1.weight` is [129, 128, 3] of F32, not [128, 129, 3]"), "{message}");
    let message = error(&renamed("lstm_cell.bias_hh", "lstm_cell.bias_ho"));
    assert!(message.contains("lstm_cell.bias_hh"), "{message}");
}

/// `segments.json` holds probabilities, some of them equal to the thresholds, and the segments that
/// Silero's own function computes from them.
#[test]
fn segments_are_those_of_silero() {
    let cases = json("segments.json");
    let cases = cases.as_array().unwrap();
    let mut found = 0;
    for case in cases {
        let count = |name: &str| case[name].as_u64().unwrap() as usize;
        let rule = Hysteresis {
            min_silence: count("min_silence"),
            min_speech: count("min_speech"),
            pad: count("pad"),
            ..Hysteresis::new(case["threshold"].as_f64().unwrap() as f32)
        };
        let want: Vec<_> =
            numbers(&case["segments"]).chunks(2).map(|s| s[0] as usize..s[1] as usize).collect();
        assert_eq!(segments(&numbers(&case["probability"]), count("length"), &rule), want, "{case}");
        found += want.len();
    }
    assert!(cases.len() == 30 && found > 50, "{} cases, {found} segments", cases.len());
}
