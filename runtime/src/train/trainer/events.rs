//! The event files of TensorBoard.
//!
//! A file is a sequence of records (TFRecord), each a protocol buffer `Event`:
//! <https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto>.
//!
//! This module replaces a crate because it is only one page. The crates (`tensorboard-rs` 0.5,
//! `tfrecord` 0.15, `tboard` 0.1) need outdated versions of `protobuf` or `prost` and 37 to 131
//! packages, and none of them continues a file.

use alloc::vec::Vec;
use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::SystemTime;

use super::{Epoch, Scores};
use crate::weights::{Error, disk};

/// The name of every file. TensorBoard reads the files whose name contains `tfevents`.
const FILE: &str = "events.out.tfevents.rnn-cell";

/// Brings the files of both runs in `folder` up to date with these epochs.
pub(super) fn write(folder: &Path, epochs: &[Epoch]) -> Result<(), Error> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    write_at(since_1970.as_secs_f64(), folder, epochs)
}

/// Writes the files at the time `now`.
fn write_at(now: f64, folder: &Path, epochs: &[Epoch]) -> Result<(), Error> {
    let mut training = Vec::from([Event::Version]);
    let mut validation = Vec::from([Event::Version]);
    for epoch in epochs {
        let Epoch { number, rate, .. } = *epoch;
        training.push(Event::Scores { number, scores: &epoch.training, rate: Some(rate) });
        validation.extend(epoch.validation.as_ref().map(|scores| Event::Scores {
            number,
            scores,
            rate: None,
        }));
    }
    for (run, events) in [("training", training), ("validation", validation)] {
        let path = folder.join(run).join(FILE);
        disk::saved(&path, update(&path, &events, now)).map_err(|error| error.of("events"))?;
    }
    Ok(())
}

/// Makes `events` the content of the file at `path`. The longest prefix that the file already has
/// keeps its times. TensorBoard, which reads on at the end of a file, thus reads nothing twice.
fn update(path: &Path, events: &[Event<'_>], now: f64) -> io::Result<()> {
    let old = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        old => old?,
    };
    if old.is_empty() && events.len() < 2 {
        return Ok(());
    }
    let (mut kept, mut new) = (0, Vec::new());
    for event in events {
        let is_kept = |record: &Vec<u8>| new.is_empty() && old[kept..].starts_with(record);
        match time(&old[kept..]).map(|time| event.record(time)).filter(is_kept) {
            Some(record) => kept += record.len(),
            None => new.extend(event.record(now)),
        }
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.set_len(kept as u64)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(&new)
}

/// One record of a file.
enum Event<'a> {
    /// The first record of every file.
    Version,
    /// The scores of the epoch `number`, and the learning rate.
    Scores { number: usize, scores: &'a Scores, rate: Option<f64> },
}

impl Event<'_> {
    /// Returns the record of the event at `time`, in seconds since 1970.
    fn record(&self, time: f64) -> Vec<u8> {
        // `Event`: 1 wall_time, 2 step, 3 file_version, 5 summary.
        let mut event = Vec::from([TIME]);
        event.extend(time.to_le_bytes());
        match self {
            Event::Version => bytes(3, b"brain.Event:2", &mut event),
            Event::Scores { number, scores, rate } => {
                event.push(2 << 3);
                varint(*number, &mut event);
                let mut summary = Vec::new();
                value("loss", scores.loss(), &mut summary);
                scores.metrics().for_each(|(name, mean)| value(name, mean, &mut summary));
                rate.iter().for_each(|&rate| value("rate", rate, &mut summary));
                bytes(5, &summary, &mut event);
            }
        }
        // A record: length, checksum of the length, data, checksum of the data.
        let length = (event.len() as u64).to_le_bytes();
        let mut record = Vec::from(length);
        record.extend(masked_crc(&length).to_le_bytes());
        record.extend(&event);
        record.extend(masked_crc(&event).to_le_bytes());
        record
    }
}

/// The tag of the field of an event's time, which is the first.
const TIME: u8 = 1 << 3 | 1;

/// Returns the time of the first record of `records`.
fn time(records: &[u8]) -> Option<f64> {
    // The length and its checksum are 12 bytes.
    let (_, event) = records.split_at_checked(12)?;
    let time = event.strip_prefix(&[TIME])?.first_chunk()?;
    Some(f64::from_le_bytes(*time))
}

/// Adds a value to a `Summary`, as its field 1. The fields of a value are 1, `tag`, and 2,
/// `simple_value`.
fn value(tag: &str, value: f64, summary: &mut Vec<u8>) {
    let mut message = Vec::new();
    bytes(1, tag.as_bytes(), &mut message);
    message.push(2 << 3 | 5);
    message.extend((value as f32).to_le_bytes());
    bytes(1, &message, summary);
}

/// Adds a field that holds bytes, text or a message.
fn bytes(field: u8, bytes: &[u8], message: &mut Vec<u8>) {
    message.push(field << 3 | 2);
    varint(bytes.len(), message);
    message.extend(bytes);
}

fn varint(mut number: usize, message: &mut Vec<u8>) {
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

/// Returns the checksum of TFRecord: a CRC-32C, rotated and shifted.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Returns the CRC-32C (Castagnoli) of `bytes`.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::trainer::scores::{Metrics, set_metric};

    fn scores(loss: f64) -> Scores {
        let mut metrics = Metrics::default();
        set_metric(&mut metrics, "accuracy", 0.75);
        Scores::new(4, loss, metrics)
    }

    /// Returns `count` epochs. The losses are `first`, and then 1 less in every epoch.
    fn epochs(count: usize, first: f64) -> Vec<Epoch> {
        let epoch = |k| Epoch {
            number: k + 1,
            updates: 3 * k,
            rate: 0.5,
            training: scores(first - k as f64),
            validation: Some(scores(10.0 * first)),
            is_best: false,
        };
        (0..count).map(epoch).collect()
    }

    #[test]
    fn checksums_have_their_published_values() {
        assert_eq!(crc(b"123456789"), 0xe306_9283);
        // RFC 3720, B.4.
        assert_eq!(crc(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc(&[0xff; 32]), 0x62a8_ab43);
    }

    /// The bytes are those of TensorBoard 2.21's own `RecordWriter` and protocol buffers.
    #[test]
    fn records_are_those_of_tensorboard() {
        let want = b"\x18\0\0\0\0\0\0\0\xa3\x7fK\"\x09\0\0\0`\xb8\x13\xdaA\x1a\x0db\
            rain.Event:2Jp)\xa29\0\0\0\0\0\0\0\
            \x8b\x077\xf1\x09\0\0 `\xb8\x13\xdaA\x10\xac\x02*+\x0a\x0b\x0a\x04lo\
            ss\x15\0\0\xc0?\x0a\x0f\x0a\x08accuracy\x15\0\0@?\
            \x0a\x0b\x0a\x04rate\x15\x0a\xd7#<\x01\"\xbd\xb0";
        let epoch = Event::Scores { number: 300, scores: &scores(1.5), rate: Some(0.01) };
        let records = [Event::Version.record(1.75e9), epoch.record(1.75e9 + 0.5)].concat();
        assert_eq!(records, want);
    }

    #[test]
    fn files_hold_every_epoch_once() {
        let folder = std::env::temp_dir().join(alloc::format!("rnn-cell-{}-events", std::process::id()));
        let read = |run| fs::read(folder.join(run).join(FILE)).unwrap();
        let file = |epochs: &[Epoch], times: &[f64]| -> Vec<u8> {
            let events = epochs.iter().map(|epoch| Event::Scores {
                number: epoch.number,
                scores: &epoch.training,
                rate: Some(epoch.rate),
            });
            let events = [Event::Version].into_iter().chain(events);
            events.zip(times).flat_map(|(event, &time)| event.record(time)).collect()
        };
        let three = epochs(3, 8.0);
        for count in 1..=3 {
            write_at(count as f64, &folder, &three[..count]).unwrap();
        }
        assert_eq!(read("training"), file(&three, &[1.0, 1.0, 2.0, 3.0]));
        // The program was killed while it wrote the last record.
        let killed = folder.join("training").join(FILE);
        fs::write(&killed, &read("training")[..read("training").len() - 7]).unwrap();
        write_at(4.0, &folder, &three).unwrap();
        assert_eq!(read("training"), file(&three, &[1.0, 1.0, 2.0, 4.0]));
        // It resumed from a checkpoint after the first epoch, or after the third.
        write_at(5.0, &folder, &three[..2]).unwrap();
        assert_eq!(read("training"), file(&three[..2], &[1.0, 1.0, 2.0]));
        write_at(6.0, &folder, &epochs(4, 8.0)).unwrap();
        assert_eq!(read("training"), file(&epochs(4, 8.0), &[1.0, 1.0, 2.0, 6.0, 6.0]));
        // Another training replaces the epochs of the last one.
        let mut other = epochs(2, 7.0);
        write_at(7.0, &folder, &other).unwrap();
        assert_eq!(read("training"), file(&other, &[1.0, 7.0, 7.0]));
        other.iter_mut().for_each(|epoch| epoch.validation = None);
        write_at(8.0, &folder, &other).unwrap();
        assert_eq!(read("validation"), file(&[], &[1.0]));
        fs::remove_dir_all(&folder).unwrap();
        // Without validation there is no file.
        write_at(9.0, &folder, &other).unwrap();
        assert!(!folder.join("validation").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
