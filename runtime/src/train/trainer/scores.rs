//! The loss and the metrics of a batch.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The mean loss and the mean metrics over a number of samples.
#[derive(Clone, PartialEq, Default)]
pub struct Scores {
    samples: f64,
    /// The sum over the samples.
    loss: f64,
    metrics: Metrics,
}

impl fmt::Debug for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entry(&"loss", &self.loss()).entries(self.metrics()).finish()
    }
}

/// The name and the value of each metric. Unused ones have no name.
pub(super) type Metrics = [(Cow<'static, str>, f64); Scores::METRICS];

impl Scores {
    /// The largest number of metrics.
    pub const METRICS: usize = 8;
    /// The number of sums.
    pub(super) const NUMBERS: usize = 2 + Self::METRICS;

    /// Creates the scores of `samples` samples whose mean loss is `loss`.
    pub(super) fn new(samples: usize, loss: f64, metrics: Metrics) -> Self {
        let samples = samples as f64;
        Scores { samples, loss: samples * loss, metrics: metrics.map(|(name, mean)| (name, samples * mean)) }
    }

    /// Returns the mean loss; 0 without samples.
    pub fn loss(&self) -> f64 {
        self.mean(self.loss)
    }

    /// Returns the `loss`, or a metric by the name that [`Part::metric`](super::Part::metric) gave
    /// it.
    pub fn get(&self, name: &str) -> Option<f64> {
        match name {
            "loss" => Some(self.loss()),
            _ => self.metrics().find(|(metric, _)| *metric == name).map(|(_, mean)| mean),
        }
    }

    /// Returns an iterator over the metrics and their names.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, f64)> {
        self.metrics.iter().filter(|(name, _)| !name.is_empty()).map(|(name, sum)| (&**name, self.mean(*sum)))
    }

    fn mean(&self, sum: f64) -> f64 {
        if self.samples > 0.0 { sum / self.samples } else { 0.0 }
    }

    /// Adds the scores of other samples.
    pub(super) fn add(&mut self, other: &Self) {
        self.samples += other.samples;
        self.loss += other.loss;
        for ((name, sum), other) in self.metrics.iter_mut().zip(&other.metrics) {
            *sum += other.1;
            if !other.0.is_empty() {
                name.clone_from(&other.0);
            }
        }
    }

    /// Returns the sums.
    pub(super) fn to_numbers(&self) -> [f64; Self::NUMBERS] {
        let mut numbers = [0.0; Self::NUMBERS];
        (numbers[0], numbers[1]) = (self.samples, self.loss);
        for (number, (_, sum)) in numbers[2..].iter_mut().zip(&self.metrics) {
            *number = *sum;
        }
        numbers
    }

    /// Returns the scores with these sums.
    pub(super) fn from_numbers(numbers: &[f64], names: &[String]) -> Self {
        let mut scores = Scores::default();
        if let [samples, loss, metrics @ ..] = numbers {
            (scores.samples, scores.loss) = (*samples, *loss);
            scores.metrics.iter_mut().zip(metrics).for_each(|((_, sum), metric)| *sum = *metric);
        }
        for ((metric, _), name) in scores.metrics.iter_mut().zip(names) {
            *metric = Cow::Owned(name.clone());
        }
        scores
    }

    /// Appends the sums and the names of the metrics to a message for other processes.
    pub(super) fn write(&self, has_more: bool, message: &mut Vec<u8>) {
        message.push(u8::from(has_more));
        self.to_numbers().iter().for_each(|number| message.extend(number.to_le_bytes()));
        for (name, _) in &self.metrics {
            message.extend((name.len() as u64).to_le_bytes());
            message.extend(name.as_bytes());
        }
    }

    /// Adds scores that [`write`](Self::write) appended, and removes them from the message. Returns
    /// `has_more`.
    ///
    /// # Panics
    /// Panics if the message is not one of `write`.
    pub(super) fn add_written(&mut self, message: &mut &[u8]) -> bool {
        let mut take =
            |count| message.split_off(..count).expect("every process runs the same version of this library");
        let has_more = take(1) == [1];
        let numbers: [f64; Self::NUMBERS] = core::array::from_fn(|_| f64::from_le_bytes(word(take(8))));
        let names: [String; Self::METRICS] = core::array::from_fn(|_| {
            let length = u64::from_le_bytes(word(take(8))) as usize;
            String::from_utf8_lossy(take(length)).into_owned()
        });
        self.add(&Self::from_numbers(&numbers, &names));
        has_more
    }
}

/// Returns the first eight bytes as an array.
pub(super) fn word(bytes: &[u8]) -> [u8; 8] {
    core::array::from_fn(|index| bytes[index])
}

/// Sets the metric `name` of one part.
///
/// # Panics
/// Panics if there are already as many metrics as scores can hold.
#[track_caller]
pub(super) fn set_metric(metrics: &mut Metrics, name: &'static str, value: f64) {
    assert!(!name.is_empty() && name != "loss", "a metric must have a name of its own, not `{name}`");
    let Some(metric) = metrics.iter_mut().find(|(other, _)| other.is_empty() || *other == name) else {
        panic!("a part has at most {} metrics", Scores::METRICS);
    };
    *metric = (Cow::Borrowed(name), value);
}
