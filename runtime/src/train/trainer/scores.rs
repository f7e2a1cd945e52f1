//! The loss and the metrics of a batch.

use alloc::borrow::Cow;

/// The mean loss and the mean metrics over a number of samples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scores {
    samples: f64,
    /// The sum over the samples.
    loss: f64,
    metrics: Metrics,
}

/// The name and the value of each metric. Unused ones have no name.
pub(super) type Metrics = [(Cow<'static, str>, f64); Scores::METRICS];

impl Scores {
    /// The largest number of metrics.
    pub const METRICS: usize = 8;
    /// The number of numbers that [workers](super::Workers) exchange for each part.
    pub const NUMBERS: usize = 3 + Self::METRICS;

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
        self.name_metrics(other);
        for (sum, metric) in self.metrics.iter_mut().zip(&other.metrics) {
            sum.1 += metric.1;
        }
    }

    /// Returns the sums as numbers, for another process; `has_more` is one of them.
    pub(super) fn to_numbers(&self, has_more: bool) -> [f64; Self::NUMBERS] {
        let mut numbers = [0.0; Self::NUMBERS];
        (numbers[0], numbers[1], numbers[2]) = (self.samples, self.loss, f64::from(u8::from(has_more)));
        for (number, (_, sum)) in numbers[3..].iter_mut().zip(&self.metrics) {
            *number = *sum;
        }
        numbers
    }

    /// Adds the sums in `numbers`. Returns whether `has_more` was among them.
    pub(super) fn add_numbers(&mut self, numbers: &[f64; Self::NUMBERS]) -> bool {
        self.samples += numbers[0];
        self.loss += numbers[1];
        for ((_, sum), number) in self.metrics.iter_mut().zip(&numbers[3..]) {
            *sum += *number;
        }
        numbers[2] > 0.0
    }

    /// Returns the scores with these sums.
    #[cfg(all(feature = "std", feature = "safetensors"))]
    pub(super) fn from_numbers(numbers: &[f64], names: &[alloc::string::String]) -> Self {
        let mut scores = Scores::default();
        if let Ok(numbers) = numbers.try_into() {
            scores.add_numbers(numbers);
        }
        for ((metric, _), name) in scores.metrics.iter_mut().zip(names) {
            *metric = Cow::Owned(name.clone());
        }
        scores
    }

    /// Names the metrics as those of `other`.
    pub(super) fn name_metrics(&mut self, other: &Self) {
        for (metric, other) in self.metrics.iter_mut().zip(&other.metrics) {
            if !other.0.is_empty() {
                metric.0.clone_from(&other.0);
            }
        }
    }
}

/// Sets the metric `name` of one part.
///
/// # Panics
/// If there are already as many metrics as scores can hold.
#[track_caller]
pub(super) fn set_metric(metrics: &mut Metrics, name: &'static str, value: f64) {
    assert!(!name.is_empty(), "a metric must have a name");
    let Some(metric) = metrics.iter_mut().find(|(other, _)| other.is_empty() || *other == name) else {
        panic!("a part has at most {} metrics", Scores::METRICS);
    };
    *metric = (Cow::Borrowed(name), value);
}
