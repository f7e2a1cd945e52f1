//! Damaged files. Loading one may fail or succeed, but must not panic. After an error, the model is
//! unchanged.
//!
//! This command reads a million files per loader:
//!
//! ```text
//! DAMAGED_FILES=1000000 cargo test --release -p tests --test weights damaged -- --nocapture
//! ```

use crate::{Tensor, bits, file, fixture, randomise};
use rnn_cell::cell::ModelMut;
use rnn_cell::cells::{Dense, Gru, GruResetAfter, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::weights::torch;
use rnn_cell::weights::{Error, Mapping, load, nam, onnx, rtneural, save};

/// Bytes with a meaning in a header, in JSON or in a protocol buffer.
const MEANINGFUL: &[u8] = b"\"{}[]:,0123456789-.eFIBU\\ \0\xff\x7f\x80\x08\x0a\x12\x1a\x2a\x32\x3a\x4a";

/// Texts and numbers that are too long, too large or of the wrong kind.
const WRONG: [&[u8]; 8] = [
    b"99999999999999999999",
    b"1e999",
    b"NaN",
    b"null",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    b"-1",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff\x0f",
];

/// Makes one to three changes, most of them within the first `head` bytes.
fn mutate(bytes: &mut Vec<u8>, head: usize, rng: &mut Xoshiro256PlusPlus) {
    let mut below = |n: usize| (rng.next_u64() % n.max(1) as u64) as usize;
    for _ in 0..1 + below(3) {
        let length = bytes.len();
        let end = if below(4) > 0 { length.min(head) } else { length };
        let at = below(end);
        match below(8) {
            0 if length > 0 => bytes[at] ^= 1 << below(8),
            1 if length > 0 => bytes[at] = MEANINGFUL[below(MEANINGFUL.len())],
            2 => bytes.truncate(at),
            3 => bytes.insert(at, MEANINGFUL[below(MEANINGFUL.len())]),
            4 if length > 0 => {
                bytes.remove(at);
            }
            5 => bytes.extend(core::iter::repeat_n(below(256) as u8, below(40))),
            6 => {
                // Insert a wrong number or text, or overwrite up to two bytes with it.
                let over = at..length.min(at + below(3));
                bytes.splice(over, WRONG[below(WRONG.len())].iter().copied());
            }
            _ => {
                // Insert a copy of a piece of the file elsewhere.
                let piece = bytes[at..length.min(at + below(30))].to_vec();
                let to = below(end);
                bytes.splice(to..to, piece);
            }
        }
    }
}

/// Returns the number of damaged files per loader: `DAMAGED_FILES`, or 2,000 by default.
fn cases() -> usize {
    std::env::var("DAMAGED_FILES").map_or(2000, |count| count.parse().unwrap())
}

/// The bound on the peak memory of a load, as a multiple of the file's length.
pub const MEMORY_FACTOR: u64 = 30;

/// The number of bytes that a load may use in addition, for the model itself.
pub const MEMORY_BASE: u64 = 10_000;

/// Loads damaged copies of a file. Each load returns an error with a message or reads finite
/// numbers. After an error, the model is unchanged. The memory of a load is bounded by a multiple
/// of the file's length.
fn damaged<M: ModelMut + Clone>(
    name: &str,
    model: &M,
    file: &[u8],
    head: usize,
    load: impl Fn(&mut M, &[u8]) -> Result<(), Error>,
) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(99);
    let (mut errors, mut loads, mut most) = (0, 0, 0.0_f64);
    load(&mut model.clone(), file).unwrap();
    for _ in 0..cases() {
        let mut bytes = file.to_vec();
        mutate(&mut bytes, head, &mut rng);
        let mut loaded = model.clone();
        let mut result = Ok(());
        let memory = allocation_counter::measure(|| {
            result = load(&mut loaded, &bytes).map_err(|error| error.to_string());
        });
        let length = bytes.len() as u64;
        assert!(
            memory.bytes_max <= MEMORY_FACTOR * length + MEMORY_BASE,
            "{name}: {memory:?} for {length} bytes: {bytes:?}"
        );
        most = most.max(memory.bytes_max as f64 / (length + 600) as f64);
        match result {
            Ok(()) => loads += 1,
            Err(message) => {
                errors += 1;
                record(name, &message);
                assert!(!message.is_empty() && bits(&loaded) == bits(model), "{name}: {message}");
            }
        }
        assert!(bits(&loaded).iter().all(|&bits| f64::from_bits(bits).is_finite()), "{name}");
    }
    println!("{name}: {errors} errors, {loads} loads; at most {most:.1} times the file's length in memory");
    // Files with changed numbers still load. Both outcomes must be frequent.
    assert!(errors > cases() / 4 && loads > cases() / 100, "{name}: {errors} errors, {loads} loads");
}

fn random<M: ModelMut>(mut model: M) -> M {
    randomise(&mut model, 1);
    model
}

#[test]
fn damaged_safetensors() {
    let gru = random(Gru::<2, 3>::zeros());
    damaged("safetensors, by name", &gru, &save(&gru).unwrap(), 600, load);
    let lstm = random(Lstm::<2, 3, f64>::zeros());
    let torch = torch::lstm();
    damaged("safetensors of PyTorch", &lstm, &torch.save(&lstm).unwrap(), 600, |lstm, bytes| {
        torch.load(lstm, bytes)
    });
}

#[test]
fn damaged_nam() {
    damaged("nam", &random(nam::one_layer::<8>()), &fixture("nam_1x8.nam"), 400, nam::load);
    damaged("nam of two layers", &random(nam::two_layers::<3>()), &fixture("nam_2x3.nam"), 400, nam::load);
}

#[test]
fn damaged_rtneural() {
    let net = random(Stack(Lstm::<1, 8>::zeros(), Dense::<8, 1>::zeros()));
    let json: serde_json::Value = serde_json::from_slice(&fixture("rtneural_lstm.json")).unwrap();
    damaged("rtneural", &net, &serde_json::to_vec(&json).unwrap(), 100_000, rtneural::load);
}

#[test]
fn damaged_onnx() {
    let net = random(Lstm::<3, 4>::zeros());
    damaged("onnx", &net, &fixture("onnx_lstm.onnx"), 200, onnx::load);
    damaged("onnx as PyTorch writes it", &net, &fixture("onnx_torch.onnx"), 100_000, onnx::load);
    let recurrent = Stack(GruResetAfter::<3, 4>::zeros(), Lstm::<4, 4>::zeros());
    let dense = Stack(Dense::<4, 3>::zeros(), Dense::<3, 2>::zeros());
    let mapping = onnx::layers([onnx::gru_reset_after(), onnx::lstm(), onnx::dense("tanh"), onnx::dense("")]);
    damaged(
        "onnx of four layers",
        &random(Stack(recurrent, dense)),
        &fixture("onnx_chain.onnx"),
        100_000,
        |net, bytes| onnx::File::read(bytes)?.load_by(&mapping, net),
    );
}

#[test]
fn every_prefix_of_a_file_is_refused() {
    let mut lstm = Lstm::<2, 3>::zeros();
    let bytes = save(&lstm).unwrap();
    for length in 0..bytes.len() {
        let error = load(&mut lstm, &bytes[..length]).unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
    }
}

#[test]
fn malicious_headers() {
    let mut lstm = Lstm::<2, 3>::zeros();
    let max = u64::MAX;
    let entry = |shape: &str, end: u64| {
        format!(r#"{{"W_i":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
    };
    let headers = [
        entry("[18446744073709551615,18446744073709551615]", 4),
        entry("[4611686018427387904,4]", 0),
        entry("[2,3]", max),
        entry("[1e30]", 4),
        entry("[-1]", 4),
        entry("[0,3]", 0),
        entry(&format!("[{}1]", "1,".repeat(50_000)), 4),
        "[".repeat(100_000),
        r#"{"a":"#.repeat(100_000),
        "null".into(),
        "{}".into(),
    ];
    for header in headers {
        for claimed in [header.len() as u64, 0, 7, max, max - 7, 1 << 40] {
            for data in [0, 4, 24] {
                let mut bytes = claimed.to_le_bytes().to_vec();
                bytes.extend(header.as_bytes());
                bytes.extend(vec![0; data]);
                let error = load(&mut lstm, &bytes).unwrap_err().to_string();
                // A shape of any length is printed on one line.
                assert!(error.lines().all(|line| line.len() < 300), "{error}");
            }
        }
    }
}

/// Many unexpected tensors with long names are all reported, in less than quadratic time.
#[test]
fn many_unexpected_tensors() {
    let tensors: Vec<_> =
        (0..5000).map(|k| Tensor::f32(&format!("{k}{}", "x".repeat(200)), &[1], &[0.0])).collect();
    let error = Mapping::by_name(&Lstm::<2, 3>::zeros()).load(&mut Lstm::<2, 3>::zeros(), &file(&tensors));
    assert_eq!(error.unwrap_err().problems().len(), 5000 + 12);
}

/// If many prefixes match, the message names a few of them, and the memory stays within the bound.
#[test]
fn many_matching_prefixes() {
    let mut lstm = Lstm::<2, 3>::zeros();
    let mapping = torch::lstm().prefix("lstm.");
    let names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"];
    let all = (0..2000).flat_map(|k| names.map(|name| Tensor::f32(&format!("m{k}.{name}"), &[1], &[0.0])));
    let bytes = file(&all.collect::<Vec<_>>());
    let mut problems = Vec::new();
    let memory = allocation_counter::measure(|| {
        problems = mapping.load(&mut lstm, &bytes).unwrap_err().problems().to_vec();
    });
    assert!(
        memory.bytes_max <= MEMORY_FACTOR * bytes.len() as u64 + MEMORY_BASE,
        "{memory:?} for {} bytes",
        bytes.len()
    );
    let wanted = "all 4 tensors of the LSTM are under `m0.` and under `m1.` and under `m10.` and under `m100.` in the file, under `lstm.` in the mapping";
    assert_eq!(problems[0].to_string().lines().next().unwrap(), wanted);
    assert_eq!(problems.len(), 1 + 4 * (2000 - 4));
}

/// Appends a message to the file that the environment variable `RECORD` names.
pub fn record(name: &str, message: &str) {
    use std::io::Write;
    let Ok(path) = std::env::var("RECORD") else { return };
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(format!("{name}: {message:?}\n").as_bytes()).unwrap();
}
