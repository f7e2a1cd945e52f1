//! Damaged files: an error or a load, never a panic; and after an error the model is as it was.

use crate::{Tensor, bits, file, randomise};
use rnn_cell::cells::{Gru, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::weights::torch::{self, Direction};
use rnn_cell::weights::{Mapping, load, save};

/// Bytes that mean something in a header.
const TELLING: &[u8] = b"\"{}[]:,0123456789-.eFIBU\\ \0\xff";

fn mutate(bytes: &mut Vec<u8>, rng: &mut Xoshiro256PlusPlus) {
    let mut below = |n: usize| (rng.next_u64() % n.max(1) as u64) as usize;
    for _ in 0..1 + below(3) {
        // Most of them within the header, which is what there is to get wrong.
        let length = bytes.len();
        let end = if below(4) > 0 { length.min(600) } else { length };
        let at = below(end);
        match below(7) {
            0 if length > 0 => bytes[at] ^= 1 << below(8),
            1 if length > 0 => bytes[at] = TELLING[below(TELLING.len())],
            2 => bytes.truncate(at),
            3 => bytes.insert(at, TELLING[below(TELLING.len())]),
            4 if length > 0 => {
                bytes.remove(at);
            }
            5 => bytes.extend(core::iter::repeat_n(below(256) as u8, below(40))),
            _ => {
                // A piece of the file, put in elsewhere.
                let piece = bytes[at..length.min(at + below(30))].to_vec();
                let to = below(end);
                bytes.splice(to..to, piece);
            }
        }
    }
}

#[test]
fn mutations_of_valid_files() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(99);
    let mut gru = Gru::<2, 3>::zeros();
    randomise(&mut gru, 1);
    let mut lstm = Lstm::<2, 3, f64>::zeros();
    randomise(&mut lstm, 2);
    let torch = torch::lstm(0, Direction::Forward);
    let own = save(&gru).unwrap();
    let theirs = torch.save(&lstm).unwrap();
    let (mut errors, mut loads) = (0, 0);
    let mut count = |failed: bool| *if failed { &mut errors } else { &mut loads } += 1;
    for _ in 0..3000 {
        let mut bytes = own.clone();
        mutate(&mut bytes, &mut rng);
        let (mut loaded, before) = (gru.clone(), bits(&gru));
        let result = load(&mut loaded, &bytes);
        assert!(result.is_ok() || bits(&loaded) == before);
        assert!(bits(&loaded).iter().all(|&bits| f64::from_bits(bits).is_finite()));
        count(result.map_err(|error| error.to_string()).is_err());

        let mut bytes = theirs.clone();
        mutate(&mut bytes, &mut rng);
        let mut loaded = lstm.clone();
        let result = torch.load(&mut loaded, &bytes);
        assert!(result.is_ok() || loaded == lstm);
        count(result.map_err(|error| error.to_string()).is_err());
    }
    // Changes of the numbers alone still load; both outcomes must have been seen often.
    assert!(errors > 3000 && loads > 100, "{errors} errors, {loads} loads");
}

#[test]
fn every_beginning_of_a_file() {
    let mut lstm = Lstm::<2, 3>::zeros();
    let bytes = save(&lstm).unwrap();
    for length in 0..bytes.len() {
        let error = load(&mut lstm, &bytes[..length]).unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
    }
}

#[test]
fn hostile_headers() {
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
                // A shape of any length is told in a line.
                assert!(error.lines().all(|line| line.len() < 300), "{error}");
            }
        }
    }
}

/// Many tensors with long names that nobody expects: told, in time that doesn't grow with the square of their length.
#[test]
fn a_file_of_something_else() {
    let tensors: Vec<_> =
        (0..5000).map(|k| Tensor::f32(&format!("{k}{}", "x".repeat(200)), &[1], &[0.0])).collect();
    let error = Mapping::by_name(&Lstm::<2, 3>::zeros()).load(&mut Lstm::<2, 3>::zeros(), &file(&tensors));
    assert_eq!(error.unwrap_err().problems().len(), 5000 + 12);
}
