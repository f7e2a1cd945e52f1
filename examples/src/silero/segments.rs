//! From probabilities to segments of speech, as Silero's own `get_speech_timestamps` has it.

use super::CHUNK;
use std::ops::Range;

/// When speech begins and ends. The defaults are Silero's. Durations are samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hysteresis {
    /// Speech begins with a chunk of at least this probability.
    pub threshold: f32,
    /// It ends with a chunk below this probability ..
    pub end_threshold: f32,
    /// .. unless a chunk reaches the threshold again within this time.
    pub min_silence: usize,
    /// Speech must last longer than this.
    pub min_speech: usize,
    /// A segment is made longer by this at each end.
    pub pad: usize,
}

impl Hysteresis {
    /// Silero's settings for speech that begins at `threshold`; its own default is 0.5.
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

/// The segments of speech, in samples, from the probabilities of chunks: the rules of `get_speech_timestamps` in `src/silero_vad/utils_vad.py`
/// of github.com/snakers4/silero-vad, release 6.2.3, without its limit on a segment's length, which is infinite by default there.
/// `length` is that of the sound.
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
            // A chunk between the two thresholds neither ends speech nor the silence that has begun.
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
        // What is too short for both pads is shared.
        let pad = if silence < 2 * rule.pad { silence / 2 } else { rule.pad };
        segments[next - 1].end += pad;
        segments[next].start -= pad;
    }
    if let Some(last) = segments.last_mut() {
        last.end = (last.end + rule.pad).min(length);
    }
    segments
}
