//! The data files and their validation. A file that is missing, truncated or damaged is reported
//! with its path and line.

use nalgebra::SVector;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// An error about a data file.
#[derive(Debug)]
pub enum DataError {
    /// The file cannot be read.
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file can be read but its contents are wrong.
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// The number of the line, from 1; `None` for the file as a whole.
        line: Option<usize>,
        /// The description of the mistake.
        fact: String,
    },
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, source } => {
                writeln!(f, "cannot read the data file {}: {source}", path.display())?;
                write!(
                    f,
                    "help: the repository contains the data in examples/data; `--data DIR` selects another folder"
                )
            }
            Self::Damaged { path, line, fact } => {
                write!(f, "the data file {} is damaged", path.display())?;
                if let Some(line) = line {
                    write!(f, ", line {line}")?;
                }
                writeln!(f, ": {fact}")?;
                write!(f, "help: restore it with `git checkout -- examples/data`")
            }
        }
    }
}

impl Error for DataError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Damaged { .. } => None,
        }
    }
}

/// The number of cepstrum coefficients per frame of the Japanese vowels.
pub const COEFFICIENTS: usize = 12;
/// The number of speakers of the Japanese vowels.
pub const SPEAKERS: usize = 9;

/// One utterance of the Japanese vowels.
#[derive(Debug, Clone)]
pub struct Utterance {
    /// The number of the speaker, from 0; the file counts from 1.
    pub speaker: u32,
    /// The cepstrum coefficients, frame by frame.
    pub frames: Vec<SVector<f32, COEFFICIENTS>>,
}

/// Loads the 270 training and the 370 test utterances.
pub fn japanese_vowels(folder: &Path) -> Result<(Vec<Utterance>, Vec<Utterance>), DataError> {
    let train = utterances(&folder.join("japanese_vowels_train.csv"), 270)?;
    let test = utterances(&folder.join("japanese_vowels_test.csv"), 370)?;
    Ok((train, test))
}

fn utterances(path: &Path, count: usize) -> Result<Vec<Utterance>, DataError> {
    let names: Vec<String> = (1..=COEFFICIENTS).map(|i| format!("lpc{i}")).collect();
    let table = Table::read(path, &format!("series,speaker,{}", names.join(",")))?;
    let mut utterances: Vec<Utterance> = Vec::new();
    for (line, row) in table.rows() {
        let [series, speaker, coefficients @ ..] = row else {
            unreachable!("a table's rows have as many columns as its header");
        };
        if !(1.0..=SPEAKERS as f64).contains(speaker) || speaker.fract() != 0.0 {
            return Err(table.damaged(line, format!("the speaker is {speaker}, not one of 1 to {SPEAKERS}")));
        }
        let speaker = *speaker as u32 - 1;
        if *series == utterances.len() as f64 {
            utterances.push(Utterance { speaker, frames: Vec::new() });
        }
        let number = utterances.len();
        let Some(utterance) = utterances.last_mut().filter(|_| *series == number as f64 - 1.0) else {
            return Err(
                table.damaged(line, format!("utterance {series} follows utterance {}", number as f64 - 1.0))
            );
        };
        if utterance.speaker != speaker {
            return Err(table.damaged(line, format!("the speaker changes within utterance {series}")));
        }
        utterance.frames.push(SVector::from_fn(|i, _| coefficients[i] as f32));
    }
    if utterances.len() != count {
        return Err(
            table.damaged(None, format!("it holds {} utterances instead of {count}", utterances.len()))
        );
    }
    Ok(utterances)
}

/// The number of samples of the laser recording.
pub const LASER_SAMPLES: usize = 10_093;

/// Loads the intensities of the Santa Fe laser, 0 to 255.
pub fn laser(folder: &Path) -> Result<Vec<f64>, DataError> {
    let table = Table::read(&folder.join("santafe_laser.csv"), "intensity")?;
    let mut intensities = Vec::with_capacity(LASER_SAMPLES);
    for (line, row) in table.rows() {
        if !(0.0..=255.0).contains(&row[0]) {
            return Err(table.damaged(line, format!("the intensity {} is not within 0 to 255", row[0])));
        }
        intensities.push(row[0]);
    }
    if intensities.len() != LASER_SAMPLES {
        return Err(
            table.damaged(None, format!("it holds {} samples instead of {LASER_SAMPLES}", intensities.len()))
        );
    }
    Ok(intensities)
}

/// The number of rows and of columns of a digit's image.
pub const DIGIT_SIDE: usize = 8;

/// The index in `digits.csv` of the first digit of each form. A form was written by one person. It
/// has 123 to 130 digits in the same order for all persons: 0 to 9 three times, then a fixed
/// mixture. The file keeps that order but does not name the persons.
const FORMS: [usize; 14] = [0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667];

/// The number of digits.
const DIGITS: usize = 1797;

/// A handwritten digit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Digit {
    /// The digit, 0 to 9.
    pub label: u32,
    /// The ink in each column of the image, from top to bottom: 0 (none) to 1.
    pub columns: [[f32; DIGIT_SIDE]; DIGIT_SIDE],
}

/// Loads the handwritten digits, one vector per form.
pub fn digits(folder: &Path) -> Result<Vec<Vec<Digit>>, DataError> {
    let pixels: Vec<String> = (0..DIGIT_SIDE * DIGIT_SIDE).map(|i| format!("p{i}")).collect();
    let table = Table::read(&folder.join("digits.csv"), &format!("label,{}", pixels.join(",")))?;
    let mut digits = Vec::with_capacity(DIGITS);
    for (line, row) in table.rows() {
        let (label, pixels) = (row[0], &row[1..]);
        if !(0.0..=9.0).contains(&label) || label.fract() != 0.0 {
            return Err(table.damaged(line, format!("the label is {label}, not one of 0 to 9")));
        }
        if let Some(ink) = pixels.iter().find(|ink| !(0.0..=16.0).contains(*ink)) {
            return Err(table.damaged(line, format!("the ink {ink} is not within 0 to 16")));
        }
        let ink = |x: usize, y: usize| (pixels[y * DIGIT_SIDE + x] / 16.0) as f32;
        let columns = std::array::from_fn(|x| std::array::from_fn(|y| ink(x, y)));
        digits.push(Digit { label: label as u32, columns });
    }
    if digits.len() != DIGITS {
        return Err(table.damaged(None, format!("it holds {} digits instead of {DIGITS}", digits.len())));
    }
    let ends = FORMS.iter().copied().skip(1).chain([DIGITS]);
    Ok(FORMS.iter().zip(ends).map(|(&start, end)| digits[start..end].to_vec()).collect())
}

/// A file of numbers with a known header, one row per line.
struct Table {
    path: PathBuf,
    columns: usize,
    values: Vec<f64>,
}

impl Table {
    fn read(path: &Path, header: &str) -> Result<Self, DataError> {
        let bytes =
            fs::read(path).map_err(|source| DataError::Unreadable { path: path.to_path_buf(), source })?;
        let mut table =
            Self { path: path.to_path_buf(), columns: header.split(',').count(), values: Vec::new() };
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(table.damaged(None, "it is not text".into()));
        };
        let mut lines = text.lines();
        match lines.next() {
            Some(first) if first.trim_end() == header => {}
            Some(first) => {
                return Err(
                    table.damaged(1, format!("the header is `{}` instead of `{header}`", shorten(first)))
                );
            }
            None => return Err(table.damaged(None, "it is empty".into())),
        }
        for (index, line) in lines.enumerate() {
            let number = index + 2;
            let fields = line.trim_end().split(',');
            let found = fields.clone().count();
            if found != table.columns {
                let fact = format!("{found} columns instead of {}: `{}`", table.columns, shorten(line));
                return Err(table.damaged(number, fact));
            }
            for field in fields {
                match field.trim().parse::<f64>() {
                    Ok(value) if value.is_finite() => table.values.push(value),
                    _ => return Err(table.damaged(number, format!("`{}` is not a number", shorten(field)))),
                }
            }
        }
        Ok(table)
    }

    /// Returns each row with its line number.
    fn rows(&self) -> impl Iterator<Item = (usize, &[f64])> {
        self.values.chunks_exact(self.columns).enumerate().map(|(index, row)| (index + 2, row))
    }

    fn damaged(&self, line: impl Into<Option<usize>>, fact: String) -> DataError {
        DataError::Damaged { path: self.path.clone(), line: line.into(), fact }
    }
}

fn shorten(text: &str) -> String {
    const LIMIT: usize = 60;
    if text.chars().count() <= LIMIT {
        text.to_string()
    } else {
        text.chars().take(LIMIT).chain("..".chars()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
    }

    /// Copies the shipped data to a new folder and applies `damage` to the file `name`.
    fn damaged(test: &str, name: &str, damage: impl Fn(String) -> String) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("rnn-cell-data-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for entry in fs::read_dir(shipped()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
        let text = fs::read_to_string(shipped().join(name)).unwrap();
        fs::write(folder.join(name), damage(text)).unwrap();
        folder
    }

    fn vowels_error(test: &str, damage: impl Fn(String) -> String) -> String {
        let folder = damaged(test, "japanese_vowels_test.csv", damage);
        let error = japanese_vowels(&folder).expect_err("the file is damaged").to_string();
        fs::remove_dir_all(folder).unwrap();
        error
    }

    #[test]
    fn the_shipped_files_load() {
        let (train, test) = japanese_vowels(&shipped()).unwrap();
        let lengths = train.iter().chain(&test).map(|utterance| utterance.frames.len());
        assert_eq!(lengths.clone().min(), Some(7));
        assert_eq!(lengths.max(), Some(29));
        assert_eq!(train.iter().filter(|utterance| utterance.speaker == 8).count(), 30);
        assert_eq!(&laser(&shipped()).unwrap()[..3], [86.0, 141.0, 95.0]);
        let forms = digits(&shipped()).unwrap();
        for form in &forms {
            // All forms begin with 0 to 9, two of them with one digit missing, and have the same
            // end.
            let labels: Vec<u32> = form.iter().map(|digit| digit.label).collect();
            assert!((122..=130).contains(&labels.len()) && labels[9 - labels[0] as usize] == 9);
            assert!(
                labels.ends_with(&[9, 0, 8]) || labels.ends_with(&[8, 9, 8]) || labels.ends_with(&[8, 9, 3])
            );
        }
        let zero = forms[0][0];
        assert_eq!((zero.label, zero.columns[2][0], zero.columns[0][0]), (0, 5.0 / 16.0, 0.0));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = laser(Path::new("nowhere")).unwrap_err().to_string();
        assert!(error.contains("nowhere") && error.contains("santafe_laser.csv"), "{error}");
        assert!(error.contains("help: "), "{error}");
    }

    #[test]
    fn a_truncated_file_is_reported() {
        let error =
            vowels_error("cut", |text| text.lines().take(900).map(|line| format!("{line}\n")).collect());
        assert!(error.contains("utterances instead of 370"), "{error}");
        let error = vowels_error("cut-in-line", |text| text[..text.len() / 2].trim_end().to_string());
        assert!(error.contains("columns instead of 14"), "{error}");
        let error = vowels_error("empty", |_| String::new());
        assert!(error.contains("it is empty"), "{error}");
    }

    #[test]
    fn an_invalid_number_is_reported_at_its_line() {
        let error = vowels_error("number", |text| text.replacen("1.547694", "1.5x7694", 1));
        assert!(error.contains("line 3: `1.5x7694` is not a number"), "{error}");
        let error = vowels_error("nan", |text| text.replacen("1.547694", "NaN", 1));
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn wrong_labels_and_headers_are_reported() {
        let error = vowels_error("label", |text| text.replacen("\n0,1,", "\n0,12,", 1));
        assert!(error.contains("line 2: the speaker is 12"), "{error}");
        let error = vowels_error("change", |text| text.replacen("\n0,1,1.547694", "\n0,2,1.547694", 1));
        assert!(error.contains("line 3: the speaker changes within utterance 0"), "{error}");
        let error = vowels_error("gap", |text| text.replace("\n3,", "\n4,"));
        assert!(error.contains("utterance 4 follows utterance 2"), "{error}");
        let error = vowels_error("header", |text| text.replacen("series", "sequence", 1));
        assert!(error.contains("line 1: the header is"), "{error}");
    }

    #[test]
    fn a_damaged_digit_is_reported() {
        let error = |test, damage: fn(String) -> String| {
            let folder = damaged(test, "digits.csv", damage);
            let error = digits(&folder).unwrap_err().to_string();
            fs::remove_dir_all(folder).unwrap();
            error
        };
        let found = error("digit", |text| text.replacen("\n1,0,", "\n11,0,", 1));
        assert!(found.contains("line 3: the label is 11"), "{found}");
        let found = error("ink", |text| text.replacen("\n0,0,0,5,", "\n0,0,0,50,", 1));
        assert!(found.contains("line 2: the ink 50 is not within 0 to 16"), "{found}");
        let found =
            error("digits-cut", |text| text.lines().take(9).map(|line| format!("{line}\n")).collect());
        assert!(found.contains("8 digits instead of 1797"), "{found}");
    }

    #[test]
    fn an_impossible_intensity_is_reported() {
        let folder = damaged("laser", "santafe_laser.csv", |text| text.replacen("141", "1410", 1));
        let error = laser(&folder).unwrap_err().to_string();
        fs::remove_dir_all(folder).unwrap();
        assert!(error.contains("line 3: the intensity 1410"), "{error}");
    }
}
