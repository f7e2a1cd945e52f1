//! Decoding of logits to labels.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::array;

use nalgebra::SMatrix;

use super::lattice::log_softmax;
use super::{Ctc, column};
use crate::train::loss::arg_max;
use crate::{Scalar, functions};

const NEVER: f64 = f64::NEG_INFINITY;

/// A labelling that the beam search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// The labels.
    pub labels: Vec<u32>,
    /// `ln` of the total probability of the labelling's paths that the beam followed. This
    /// probability is at most that of all its paths, and equal unless a prefix of the labelling has
    /// fallen out of the beam.
    pub log_probability: f64,
}

impl Ctc {
    /// Returns the labelling of the most likely path of each sample (best path decoding; Graves et
    /// al. 2006, section 3.2). The most likely *labelling* may be another one, with many paths: see
    /// [`beam`](Self::beam).
    pub fn greedy<T: Scalar, const C: usize, const B: usize>(
        &self,
        logits: &[SMatrix<T, C, B>],
        lengths: Option<[usize; B]>,
    ) -> [Vec<u32>; B] {
        let mut labellings = array::from_fn(|_| Vec::new());
        let mut before = [self.blank(); B];
        for (t, logits) in logits.iter().enumerate() {
            let best = arg_max(logits);
            for sample in (0..B).filter(|&sample| lengths.is_none_or(|lengths| t < lengths[sample])) {
                if best[sample] != before[sample] && best[sample] != self.blank() {
                    labellings[sample].push(best[sample]);
                }
            }
            before = best;
        }
        labellings
    }

    /// Returns the most likely labellings of each sample, the best first, by prefix beam search
    /// (Hannun, Maas, Jurafsky & Ng 2014, algorithm 1, without a language model). After every step
    /// the `width` most likely prefixes continue, each with all its paths.
    ///
    /// A sample has at most `width` hypotheses, fewer if fewer labellings have a probability
    /// above 0.
    ///
    /// # Panics
    /// Panics if `width` is 0, or the blank is not a class.
    pub fn beam<T: Scalar, const C: usize, const B: usize>(
        &self,
        logits: &[SMatrix<T, C, B>],
        lengths: Option<[usize; B]>,
        width: usize,
    ) -> [Vec<Hypothesis>; B] {
        assert!(width > 0, "the width of a beam must be at least 1");
        self.check_blank(C);
        array::from_fn(|sample| {
            let steps = lengths.map_or(logits.len(), |lengths| lengths[sample].min(logits.len()));
            let mut beam = Beam::new(self.blank(), width);
            let mut log_p = Vec::with_capacity(C);
            for logits in &logits[..steps] {
                log_p.clear();
                log_p.extend(column(logits, sample).iter().map(|logit| logit.as_f64()));
                log_softmax(&mut log_p);
                beam.step(&log_p);
            }
            beam.hypotheses()
        })
    }
}

/// A prefix of a labelling: the prefix `parent`, followed by one label.
#[derive(Debug, Clone, Copy)]
struct Prefix {
    parent: usize,
    label: u32,
}

/// A prefix in the beam, with `ln` of the probability of its paths so far. Paths that end in a
/// blank are separate, because only they can continue with the same label again.
#[derive(Debug, Clone, Copy)]
struct Entry {
    prefix: usize,
    blank: f64,
    label: f64,
}

impl Entry {
    fn total(&self) -> f64 {
        log_add(self.blank, self.label)
    }
}

/// A prefix that is one label longer: the prefix of the entry `from`, followed by `label`.
#[derive(Debug, Clone, Copy)]
struct Longer {
    from: usize,
    label: u32,
    probability: f64,
}

#[derive(Debug)]
struct Beam {
    blank: u32,
    width: usize,
    /// Every prefix that was ever in the beam, the empty one first. A prefix that falls out keeps
    /// its number, because it may return, and longer prefixes may still be in the beam.
    prefixes: Vec<Prefix>,
    numbers: BTreeMap<(usize, u32), usize>,
    entries: Vec<Entry>,
}

impl Beam {
    fn new(blank: u32, width: usize) -> Self {
        Beam {
            blank,
            width,
            prefixes: [Prefix { parent: 0, label: blank }].into(),
            numbers: BTreeMap::new(),
            entries: [Entry { prefix: 0, blank: 0.0, label: NEVER }].into(),
        }
    }

    fn step(&mut self, log_p: &[f64]) {
        let places: BTreeMap<usize, usize> =
            self.entries.iter().enumerate().map(|(index, entry)| (entry.prefix, index)).collect();
        let mut same: Vec<Entry> = self
            .entries
            .iter()
            .map(|entry| Entry {
                prefix: entry.prefix,
                blank: entry.total() + log_p[self.blank as usize],
                // The empty prefix has no label to repeat: its `label` is -inf and stays -inf.
                label: entry.label + log_p[self.prefixes[entry.prefix].label as usize],
            })
            .collect();
        let mut longer = Vec::new();
        for (from, entry) in self.entries.iter().enumerate() {
            for label in (0..log_p.len() as u32).filter(|&label| label != self.blank) {
                let repeats = self.prefixes[entry.prefix].label == label;
                let probability = if repeats { entry.blank } else { entry.total() } + log_p[label as usize];
                match self.numbers.get(&(entry.prefix, label)).and_then(|number| places.get(number)) {
                    Some(&index) => same[index].label = log_add(same[index].label, probability),
                    None => longer.push(Longer { from, label, probability }),
                }
            }
        }
        self.prune(&same, &longer);
    }

    /// Keeps the most likely entries of both lists; of equal ones the shorter, then the earlier.
    fn prune(&mut self, same: &[Entry], longer: &[Longer]) {
        let mut candidates: Vec<(f64, usize)> = (same.iter().map(Entry::total))
            .chain(longer.iter().map(|longer| longer.probability))
            .enumerate()
            .map(|(number, total)| (total, number))
            .filter(|(total, _)| *total > NEVER)
            .collect();
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        candidates.truncate(self.width);
        let survivors: Vec<Entry> = candidates
            .into_iter()
            .map(|(_, number)| match same.get(number) {
                Some(&entry) => entry,
                None => {
                    let Longer { from, label, probability } = longer[number - same.len()];
                    let parent = self.entries[from].prefix;
                    let prefix = *self.numbers.entry((parent, label)).or_insert_with(|| {
                        self.prefixes.push(Prefix { parent, label });
                        self.prefixes.len() - 1
                    });
                    Entry { prefix, blank: NEVER, label: probability }
                }
            })
            .collect();
        self.entries = survivors;
    }

    fn hypotheses(&self) -> Vec<Hypothesis> {
        let hypothesis =
            |entry: &Entry| Hypothesis { labels: self.labels(entry.prefix), log_probability: entry.total() };
        self.entries.iter().map(hypothesis).collect()
    }

    fn labels(&self, mut prefix: usize) -> Vec<u32> {
        let mut labels = Vec::new();
        while prefix != 0 {
            labels.push(self.prefixes[prefix].label);
            prefix = self.prefixes[prefix].parent;
        }
        labels.reverse();
        labels
    }
}

fn log_add(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if large == NEVER { large } else { large + functions::ln_1p(functions::exp(small - large)) }
}
