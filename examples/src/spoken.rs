//! Strings of one to five spoken digits. The speech is synthetic: `data/spoken_digits/make.py` made
//! it with espeak-ng in many voices. The files hold clean speech; [`record`] adds a room and noise,
//! both synthetic too.

use crate::data::DataError;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use rnn_cell::rng::{Rng, normal, uniform};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error as SoundError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::default::{get_codecs, get_probe};

/// The number of samples per second.
pub const RATE: u32 = 8000;

const COLUMNS: &str = "start,samples,digits,voice";

/// A string of digits that a voice speaks, without noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Spoken {
    /// The samples, with a peak of about 0.5.
    pub samples: Vec<f32>,
    /// The digits, 0 to 9.
    pub digits: Vec<u32>,
    /// The accent and the variant of espeak-ng, such as `en-us+Gene`.
    pub voice: String,
}

/// Loads the first `limit` strings of a part: `training`, `validation` or `test`. The parts have no
/// voice in common.
///
/// # Errors
/// Fails if a file is missing or damaged.
pub fn load(folder: &Path, part: &str, limit: usize) -> Result<Vec<Spoken>, DataError> {
    let folder = folder.join("spoken_digits");
    let (table, sound) = (folder.join(format!("{part}.csv")), folder.join(format!("{part}.ogg")));
    let rows = rows(&table)?;
    let rows = &rows[..rows.len().min(limit)];
    let end = rows.last().map_or(0, |row| row.start + row.samples);
    let samples = decode(&sound, end)?;
    if samples.len() < end {
        let fact = format!("it holds {} samples instead of {end}", samples.len());
        return Err(damaged(&sound, None, fact));
    }
    let spoken = |row: &Row| Spoken {
        samples: samples[row.start..row.start + row.samples].to_vec(),
        digits: row.digits.clone(),
        voice: row.voice.clone(),
    };
    Ok(rows.iter().map(spoken).collect())
}

/// A row of a table.
struct Row {
    start: usize,
    samples: usize,
    digits: Vec<u32>,
    voice: String,
}

fn damaged(path: &Path, line: Option<usize>, fact: String) -> DataError {
    DataError::Damaged { path: PathBuf::from(path), line, fact }
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> DataError {
    move |source| DataError::Unreadable { path: PathBuf::from(path), source }
}

fn rows(path: &Path) -> Result<Vec<Row>, DataError> {
    let text = fs::read_to_string(path).map_err(unreadable(path))?;
    let mut lines = text.lines();
    if lines.next() != Some(COLUMNS) {
        return Err(damaged(path, Some(1), format!("the columns are not `{COLUMNS}`")));
    }
    let row = |line: &str| -> Option<Row> {
        let fields: Vec<&str> = line.split(',').collect();
        let [start, samples, digits, voice] = fields[..] else { return None };
        let digits: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(10)).collect();
        Some(Row {
            start: start.parse().ok()?,
            samples: samples.parse().ok()?,
            digits: digits.filter(|digits| !digits.is_empty())?,
            voice: voice.to_string(),
        })
    };
    let mut rows: Vec<Row> = Vec::new();
    for (index, line) in lines.enumerate() {
        let line_number = Some(index + 2);
        let row = row(line).ok_or_else(|| {
            damaged(path, line_number, format!("`{line}` is not `{COLUMNS}` of a string of digits"))
        })?;
        if rows.last().is_some_and(|last| row.start < last.start + last.samples) {
            return Err(damaged(path, line_number, "the string overlaps the one before".into()));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Decodes at least the first `count` samples of an Ogg Vorbis file, if it has as many.
fn decode(path: &Path, count: usize) -> Result<Vec<f32>, DataError> {
    let file = File::open(path).map_err(unreadable(path))?;
    let fault =
        |error: SoundError| damaged(path, None, format!("it cannot be decoded as Ogg Vorbis: {error}"));
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut reader = get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(fault)?;
    let parameters = reader.default_track(TrackType::Audio).and_then(|track| track.codec_params.as_ref());
    let parameters = parameters.and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| damaged(path, None, "it holds no sound".into()))?;
    if parameters.sample_rate != Some(RATE) {
        return Err(damaged(path, None, format!("it does not have {RATE} samples per second")));
    }
    let mut decoder =
        get_codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default()).map_err(fault)?;
    let (mut samples, mut part) = (Vec::new(), Vec::new());
    while samples.len() < count {
        let Some(packet) = reader.next_packet().map_err(fault)? else { break };
        decoder.decode(&packet).map_err(fault)?.copy_to_vec_interleaved::<f32>(&mut part);
        samples.append(&mut part);
    }
    Ok(samples)
}

/// A string of digits in a room.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The samples.
    pub samples: Vec<f32>,
    /// The sample at which the direct sound of the speech ends.
    pub end: usize,
}

/// Records a string of digits as a microphone does: with silence before and after, a room, noise,
/// and a random level.
///
/// The room is exponentially decaying noise (Moorer 1979, "About This Reverberation Business"), 100
/// to 500 ms long. The noise has a random colour and is 5 to 30 dB below the speech.
pub fn record(clean: &[f32], rng: &mut impl Rng) -> Recording {
    let seconds = |time: f64| (time * f64::from(RATE)) as usize;
    let mut sound = vec![0.0; seconds(uniform(rng, 0.05, 0.3))];
    sound.extend_from_slice(clean);
    let end = sound.len();
    sound.resize(end + seconds(uniform(rng, 0.4, 0.6)), 0.0);

    // The level of the reverberation falls by 60 dB in `decay` seconds.
    let (decay, direct) = (uniform(rng, 0.1, 0.5), uniform(rng, 0.0, 15.0));
    let fade = 1e-3_f64.ln() / (decay * f64::from(RATE));
    let mut room: Vec<f32> =
        (0..seconds(decay)).map(|t| (normal(rng) * (fade * t as f64).exp()) as f32).collect();
    let level = decibels(-direct) / power(&room).sqrt();
    room.iter_mut().for_each(|x| *x *= level as f32);
    room[0] += 1.0;
    let mut sound = convolve(&sound, &room);

    let (colour, ratio) = (uniform(rng, 0.0, 0.97), uniform(rng, 5.0, 30.0));
    let mut last = 0.0;
    let noise: Vec<f32> = (0..sound.len())
        .map(|_| {
            last = colour * last + normal(rng);
            last as f32
        })
        .collect();
    // The pauses do not count for the power of the speech.
    let speech = power(&sound) / clean.len() as f64;
    let level = decibels(-ratio) * (speech / (power(&noise) / noise.len() as f64)).sqrt();
    let loudness = decibels(uniform(rng, -20.0, 0.0));
    for (x, noise) in sound.iter_mut().zip(&noise) {
        *x = ((f64::from(*x) + level * f64::from(*noise)) * loudness) as f32;
    }
    Recording { samples: sound, end }
}

/// Returns the factor of an amplitude.
fn decibels(level: f64) -> f64 {
    10.0_f64.powf(level / 20.0)
}

/// Returns the sum of the squares.
fn power(samples: &[f32]) -> f64 {
    samples.iter().map(|x| f64::from(*x).powi(2)).sum()
}

/// Returns the causal convolution with an impulse response, as long as the sound.
fn convolve(sound: &[f32], response: &[f32]) -> Vec<f32> {
    let size = (sound.len() + response.len()).next_power_of_two();
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let spectrum = |samples: &[f32]| -> Vec<Complex<f32>> {
        let (mut padded, mut spectrum) = (samples.to_vec(), forward.make_output_vec());
        padded.resize(size, 0.0);
        forward.process(&mut padded, &mut spectrum).expect("the buffers have the plan's sizes");
        spectrum
    };
    let mut product = spectrum(sound);
    product.iter_mut().zip(spectrum(response)).for_each(|(x, response)| *x *= response);
    // Rounding leaves an imaginary part in these two bins, which a real signal does not have.
    product[0].im = 0.0;
    product[size / 2].im = 0.0;
    let mut result = inverse.make_output_vec();
    inverse.process(&mut product, &mut result).expect("the buffers have the plan's sizes");
    result.truncate(sound.len());
    result.iter_mut().for_each(|x| *x /= size as f32);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus};
    use std::collections::HashSet;

    fn data() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
    }

    #[test]
    fn voices_are_held_out() {
        let variants = |part: &str| -> HashSet<String> {
            let rows = rows(&data().join("spoken_digits").join(format!("{part}.csv"))).unwrap();
            let family = |voice: &str| {
                let variant = voice.split('+').nth(1).unwrap();
                variant.trim_end_matches(|c: char| c.is_ascii_digit()).to_lowercase()
            };
            assert!(rows.iter().all(|row| row.digits.len() <= 5));
            rows.iter().map(|row| family(&row.voice)).collect()
        };
        let [training, validation, test] = ["training", "validation", "test"].map(variants);
        assert!(training.is_disjoint(&validation) && training.is_disjoint(&test));
        assert!(validation.is_disjoint(&test));
        assert!(training.len() > 30 && test.len() >= 12, "{} and {}", training.len(), test.len());
    }

    /// `make.py` gives each string a peak of 0.5 and a margin of silence, which the coding changes
    /// little.
    #[test]
    fn strings_are_decoded_where_the_table_says() {
        let strings = load(&data(), "test", 20).unwrap();
        assert_eq!(strings.len(), 20);
        for spoken in &strings {
            let peak = spoken.samples.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
            assert!((peak - 0.5).abs() < 0.1, "{}: {peak}", spoken.voice);
            let (first, last) = (&spoken.samples[..160], &spoken.samples[spoken.samples.len() - 160..]);
            let quiet = |part: &[f32]| part.iter().all(|x| x.abs() < 0.03);
            assert!(quiet(first) && quiet(last), "{}", spoken.voice);
        }
    }

    #[test]
    fn damaged_files_are_reported() {
        let folder = std::env::temp_dir().join(format!("rnn-cell-spoken-{}", std::process::id()));
        let inner = folder.join("spoken_digits");
        fs::create_dir_all(&inner).unwrap();
        let shipped = data().join("spoken_digits");
        let [table, sound] =
            ["csv", "ogg"].map(|name| fs::read(shipped.join("test").with_extension(name)).unwrap());
        let error = |table: &[u8], sound: &[u8]| {
            fs::write(inner.join("test.csv"), table).unwrap();
            fs::write(inner.join("test.ogg"), sound).unwrap();
            load(&folder, "test", usize::MAX).unwrap_err().to_string()
        };
        for (row, fact) in [
            ("0,10,12x,en-gb+Gene\n", "line 2: `0,10,12x,en-gb+Gene` is not `start,"),
            ("0,10,,en-gb+Gene\n", "line 2: "),
            ("0,10,12\n", "line 2: "),
            ("0,10,12,a\n5,10,12,a\n", "line 3: the string overlaps"),
            ("0,9999999999,12,a\n", "test.ogg is damaged: it holds "),
        ] {
            let found = error(format!("{COLUMNS}\n{row}").as_bytes(), &sound);
            assert!(found.contains(fact), "{found}");
        }
        assert!(error(b"nothing", &sound).contains("line 1: the columns are not"));
        assert!(error(&table, &sound[..sound.len() / 2]).contains("test.ogg is damaged: it "));
        assert!(
            error(&table, b"a text, and no sound".repeat(99).as_slice())
                .contains("cannot be decoded as Ogg Vorbis")
        );
        fs::remove_dir_all(&folder).unwrap();
        assert!(load(&folder, "test", 1).unwrap_err().to_string().contains("cannot read the data file"));
    }

    #[test]
    fn a_convolution_is_a_sum() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let [sound, response] = [50, 7].map(|n| (0..n).map(|_| normal(&mut rng) as f32).collect::<Vec<_>>());
        let got = convolve(&sound, &response);
        for (t, got) in got.iter().enumerate() {
            let want: f32 = (0..=t.min(6)).map(|k| response[k] * sound[t - k]).sum();
            assert!((got - want).abs() < 1e-5, "{t}: {got}, not {want}");
        }
    }

    #[test]
    fn recordings_are_noisy_and_longer_than_the_speech() {
        let clean: Vec<f32> = (0..4000).map(|t| 0.5 * (0.3 * t as f32).sin()).collect();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let recorded = record(&clean, &mut rng);
        let Recording { samples, end } = &recorded;
        assert!(samples.len() > end + 3200 && *end > clean.len() && samples.iter().all(|x| x.is_finite()));
        assert!(power(&samples[..400]) > 0.0);
        assert_eq!(record(&clean, &mut Xoshiro256PlusPlus::seed_from_u64(1)), recorded);
    }
}
