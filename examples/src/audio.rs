//! Reading and writing of WAV files, with validation.

use crate::report::make_folders;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// One channel of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// The number of samples per second.
    pub rate: u32,
    /// The samples; full scale is -1 to 1.
    pub samples: Vec<f32>,
}

impl Sound {
    /// Returns the length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }
}

/// An error about a sound file.
#[derive(Debug)]
pub struct AudioError {
    path: PathBuf,
    fact: String,
    help: Option<&'static str>,
}

impl fmt::Display for AudioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sound file {}: {}", self.path.display(), self.fact)?;
        self.help.map_or(Ok(()), |help| write!(f, "\nhelp: {help}"))
    }
}

impl Error for AudioError {}

/// Reads a WAV file of 8-bit to 32-bit integers or 32-bit floats. Several channels are averaged.
///
/// # Errors
/// Fails if the file cannot be read, is not a WAV file, is cut short, holds no samples, or holds a
/// sample that is not finite.
pub fn read(path: &Path) -> Result<Sound, AudioError> {
    let error = |fact: String, help| AudioError { path: path.to_path_buf(), fact, help };
    let fault = |cause: hound::Error| match cause {
        // hound reports a truncated file in these two ways.
        hound::Error::IoError(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => cut(path),
        hound::Error::IoError(cause) if cause.to_string().contains("enough bytes") => cut(path),
        hound::Error::IoError(cause) => error(format!("cannot be read: {cause}"), None),
        hound::Error::Unsupported => error(
            "its samples are neither integers of 8, 16, 24 or 32 bits nor floats of 32".into(),
            Some("`ffmpeg -i FILE -c:a pcm_s16le out.wav` converts them"),
        ),
        cause => error(
            format!("is not a valid WAV file: {cause}"),
            Some("`ffmpeg -i FILE -c:a pcm_s16le out.wav` converts other sound files"),
        ),
    };
    let mut reader = WavReader::open(path).map_err(fault)?;
    let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
    let values: Result<Vec<f32>, hound::Error> = match sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let full_scale = 2f32.powi(i32::from(bits_per_sample) - 1);
            reader.samples::<i32>().map(|sample| sample.map(|value| value as f32 / full_scale)).collect()
        }
    };
    let values = values.map_err(fault)?;
    let channels = usize::from(channels);
    if values.len() % channels != 0 {
        return Err(cut(path));
    }
    if values.is_empty() || sample_rate == 0 {
        return Err(error("holds no samples".into(), None));
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(error(
            format!("sample {} is {}, not a finite number", index / channels, values[index]),
            None,
        ));
    }
    let samples = values.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32);
    Ok(Sound { rate: sample_rate, samples: samples.collect() })
}

/// Reads a WAV file that must have `rate` samples per second.
///
/// # Errors
/// Fails like [`read`], and if the file has another rate.
pub fn read_at(path: &Path, rate: u32) -> Result<Sound, AudioError> {
    let sound = read(path)?;
    if sound.rate != rate {
        return Err(AudioError {
            path: path.to_path_buf(),
            fact: format!("has {} samples per second, not {rate}", sound.rate),
            help: Some("`ffmpeg -i FILE -ar RATE out.wav` changes the rate"),
        });
    }
    Ok(sound)
}

/// Reads a WAV file of one channel of 16-bit integers, with `rate` samples per second.
///
/// # Errors
/// Fails like [`read_at`], and if the file has several channels or other samples.
pub fn read_mono(path: &Path, rate: u32) -> Result<Sound, AudioError> {
    let sound = read_at(path, rate)?;
    let WavSpec { channels, bits_per_sample, sample_format, .. } =
        WavReader::open(path).map_err(|_| cut(path))?.spec();
    let format = match sample_format {
        SampleFormat::Float => "floats",
        SampleFormat::Int => "integers",
    };
    let error = |fact, help| Err(AudioError { path: path.to_path_buf(), fact, help: Some(help) });
    if channels != 1 {
        return error(
            format!("has {channels} channels, not 1"),
            "`ffmpeg -i FILE -ac 1 out.wav` averages them",
        );
    }
    if bits_per_sample != 16 {
        return error(
            format!("has {format} of {bits_per_sample} bits, not integers of 16"),
            "`ffmpeg -i FILE -c:a pcm_s16le out.wav` converts them",
        );
    }
    Ok(sound)
}

fn cut(path: &Path) -> AudioError {
    AudioError {
        path: path.to_path_buf(),
        fact: "is cut short: it ends before the samples that its header announces".into(),
        help: None,
    }
}

/// Writes a WAV file of 16-bit samples. Values beyond full scale are clipped.
///
/// # Errors
/// Fails if the file cannot be written.
pub fn write(path: &Path, sound: &Sound) -> Result<(), AudioError> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: sound.rate,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let written = || -> Result<(), hound::Error> {
        let mut writer = WavWriter::create(path, spec)?;
        for sample in &sound.samples {
            writer.write_sample((sample * 32768.0).round().clamp(-32768.0, 32767.0) as i16)?;
        }
        writer.finalize()
    };
    written().map_err(|cause| AudioError {
        path: path.to_path_buf(),
        fact: format!("cannot be written: {cause}"),
        help: None,
    })
}

/// Writes a WAV file like [`write()`], with the folders that it needs, and prints its path.
///
/// # Errors
/// Fails like [`write()`], and if a folder cannot be created.
pub fn save(path: &Path, sound: &Sound) -> Result<(), Box<dyn Error>> {
    make_folders(path)?;
    write(path, sound)?;
    println!("sound: {} ({:.1} s)", path.display(), sound.seconds());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const SAMPLES: [f32; 4] = [0.0, 0.5, -1.0, 0.25];

    fn temporary_file(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("rnn-cell-audio-{name}-{}.wav", std::process::id()))
    }

    /// Writes `SAMPLES` to a file of the given format. With two channels, the second holds the
    /// negatives, halved.
    fn stored(name: &str, channels: u16, bits: u16, format: SampleFormat) -> PathBuf {
        let path = temporary_file(name);
        let spec = WavSpec { channels, sample_rate: 16_000, bits_per_sample: bits, sample_format: format };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        for sample in SAMPLES {
            for value in [sample, -0.5 * sample].into_iter().take(channels.into()) {
                match format {
                    SampleFormat::Float => writer.write_sample(value).unwrap(),
                    SampleFormat::Int => writer
                        .write_sample((f64::from(value) * 2f64.powi(i32::from(bits) - 1)) as i32)
                        .unwrap(),
                }
            }
        }
        writer.finalize().unwrap();
        path
    }

    fn read_once(path: &Path) -> Result<Sound, AudioError> {
        let sound = read(path);
        fs::remove_file(path).unwrap();
        sound
    }

    #[track_caller]
    fn assert_wrong(path: &Path, words: &str) {
        let error = read_once(path).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(path.to_str().unwrap()), "{error}");
    }

    #[test]
    fn all_sample_formats_are_read() {
        for (bits, format) in [
            (8, SampleFormat::Int),
            (16, SampleFormat::Int),
            (24, SampleFormat::Int),
            (32, SampleFormat::Int),
            (32, SampleFormat::Float),
        ] {
            let sound = read_once(&stored(&format!("width-{bits}-{format:?}"), 1, bits, format)).unwrap();
            assert_eq!(sound, Sound { rate: 16_000, samples: SAMPLES.to_vec() }, "{bits} {format:?}");
        }
    }

    #[test]
    fn another_rate_is_reported() {
        let path = stored("rate", 1, 16, SampleFormat::Int);
        assert_eq!(read_at(&path, 16_000).unwrap().rate, 16_000);
        let error = read_at(&path, 48_000).unwrap_err().to_string();
        fs::remove_file(&path).unwrap();
        assert!(error.contains("has 16000 samples per second, not 48000\nhelp: "), "{error}");
    }

    #[test]
    fn one_channel_of_16_bits_can_be_required() {
        let mono = |name: &str, channels, bits, format| {
            let path = stored(name, channels, bits, format);
            let sound = read_mono(&path, 16_000);
            fs::remove_file(&path).unwrap();
            sound.map_err(|error| error.to_string())
        };
        assert_eq!(mono("one", 1, 16, SampleFormat::Int).unwrap().samples, SAMPLES);
        for (channels, bits, format, words) in [
            (2, 16, SampleFormat::Int, "has 2 channels, not 1\nhelp: "),
            (1, 24, SampleFormat::Int, "has integers of 24 bits, not integers of 16\nhelp: "),
            (1, 32, SampleFormat::Float, "has floats of 32 bits, not integers of 16\nhelp: "),
        ] {
            let error = mono("other", channels, bits, format).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn channels_are_averaged() {
        let sound = read_once(&stored("stereo", 2, 16, SampleFormat::Int)).unwrap();
        assert_eq!(sound.samples, SAMPLES.map(|sample| 0.25 * sample));
    }

    #[test]
    fn written_samples_are_read_back() {
        let path = temporary_file("written");
        write(&path, &Sound { rate: 48_000, samples: vec![0.0, 0.5, -0.25, 2.0, -2.0] }).unwrap();
        let sound = read_once(&path).unwrap();
        assert_eq!(sound, Sound { rate: 48_000, samples: vec![0.0, 0.5, -0.25, 32767.0 / 32768.0, -1.0] });
    }

    #[test]
    fn damaged_files_are_reported() {
        assert!(read(Path::new("/no/such.wav")).unwrap_err().to_string().contains("cannot be read"));
        let path = temporary_file("text");
        fs::write(&path, "not a sound at all, but a line of text that is long enough for a header").unwrap();
        assert_wrong(&path, "is not a valid WAV file");
        let path = temporary_file("nothing");
        fs::write(&path, "").unwrap();
        assert_wrong(&path, "is cut short");

        let whole = fs::read(stored("whole", 2, 16, SampleFormat::Int)).unwrap();
        fs::remove_file(temporary_file("whole")).unwrap();
        for length in 0..whole.len() {
            let path = temporary_file("cut");
            fs::write(&path, &whole[..length]).unwrap();
            assert_wrong(&path, "");
        }
        let path = temporary_file("no-samples");
        WavWriter::create(&path, WavReader::new(&whole[..]).unwrap().spec()).unwrap().finalize().unwrap();
        assert_wrong(&path, "holds no samples");
    }

    #[test]
    fn a_sample_that_is_not_finite_is_reported() {
        let path = temporary_file("nan");
        let spec = WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        [0.0, f32::NAN].into_iter().for_each(|sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
        assert_wrong(&path, "sample 1 is NaN");
    }
}
