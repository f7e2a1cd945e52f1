//! Segments of speech computed from probabilities, by the rules of Silero's own
//! `get_speech_timestamps`.

use super::CHUNK;
use std::ops::Range;

/// The rules for the beginning and the end of speech. The defaults are Silero's. Durations are in
/// samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hysteresis {
    /// The probability at which speech begins.
    pub threshold: f32,
    /// The probability below which speech ends.
    pub end_threshold: f32,
    /// The minimal duration of the silence that ends speech. A chunk that reaches the threshold
    /// interrupts the silence.
    pub min_silence: usize,
    /// The duration that speech must exceed.
    pub min_speech: usize,
    /// The padding that is added to both ends of a segment.
    pub pad: usize,
}

impl Hysteresis {
    /// Returns Silero's settings for speech that begins at `threshold`. Silero's own default is
    /// 0.5.
    pub fn new(threshold: f32) -> Self {
        Self {
            threshold,
            end_threshold: (threshold - 0.15).max(0.01),
            min_silence: 1600,
            min_speech: 4000,
            pad: 480,
        }
    }
}

/// Returns the segments of speech in samples, from the probabilities of the chunks. The rules are
/// those of `get_speech_timestamps` in `src/silero_vad/utils_vad.py` of
/// github.com/snakers4/silero-vad, release 6.2.3. Its limit on the length of a segment, which is
/// infinite by default, is left out. `length` is the length of the sound.
pub fn segments(probabilities: &[f32], length: usize, rule: &Hysteresis) -> Vec<Range<usize>> {
    let mut segments: Vec<Range<usize>> = Vec::new();
    let mut keep = |speech: Range<usize>| {
        if speech.len() > rule.min_speech {
            segments.push(speech);
        }
    };
    let mut speech_since = None;
    let mut quiet_since = None;
    for (index, &probability) in probabilities.iter().enumerate() {
        let now = index * CHUNK;
        if probability >= rule.threshold {
            quiet_since = None;
            speech_since.get_or_insert(now);
        } else if let Some(start) = speech_since.filter(|_| probability < rule.end_threshold) {
            // A chunk between the two thresholds ends neither speech nor a silence that has begun.
            let end = *quiet_since.get_or_insert(now);
            if now - end >= rule.min_silence {
                keep(start..end);
                (speech_since, quiet_since) = (None, None);
            }
        }
    }
    if let Some(start) = speech_since {
        keep(start..length);
    }

    if let Some(first) = segments.first_mut() {
        first.start = first.start.saturating_sub(rule.pad);
    }
    for next in 1..segments.len() {
        let silence = segments[next].start - segments[next - 1].end;
        // A silence too short for both paddings is split between them.
        let pad = if silence < 2 * rule.pad { silence / 2 } else { rule.pad };
        segments[next - 1].end += pad;
        segments[next].start -= pad;
    }
    if let Some(last) = segments.last_mut() {
        last.end = (last.end + rule.pad).min(length);
    }
    segments
}
