//! The eight variants of the LSTM (Greff et al. 2017, "LSTM: a search space odyssey") compared with
//! the vanilla LSTM, which has peepholes.
//!
//! The paper trains each variant on speech, handwriting and music, with 200 random settings. None
//! is significantly better than the vanilla LSTM. The forget gate and the output activation matter
//! most; coupling gates and removing peepholes cost nothing. On a toy problem the order can differ.
//!
//! Ours: character models of the sonnets (see [`characters`](crate::characters)) with 32 cells and
//! six seeds. Each seed of each variant is trained at three rates, and the model of the rate and
//! epoch with the best validation result is kept. This is a small search. Most models still improve
//! in the last epoch. A difference is significant if a permutation test of the seeds' bits has a
//! p-value below 5 %, corrected for eight comparisons (p < 0.00625).

use crate::characters::{CharacterModel, Embedding, Outcome, Text, learn};
use crate::table::{Options, Row, agreement};
use examples::jobs::Jobs;
use examples::report::mean_and_deviation;
use rnn_cell::cells::{
    Dense, GreffCifg, GreffFgr, GreffNfg, GreffNiaf, GreffNig, GreffNoaf, GreffNog, GreffNp, PeepholeLstm,
};
use rnn_cell::prelude::*;

const EMBEDDED: usize = 16;
const CELLS: usize = 32;
const RATES: [f64; 3] = [0.005, 0.01, 0.02];
const EPOCHS: usize = 16;
const SEEDS: u64 = 6;
/// The p-value for a probability of 5 % of at least one false positive among the eight variants.
const SIGNIFICANT: f64 = 0.05 / 8.0;

/// The paper's result for a variant, relative to the vanilla LSTM.
#[derive(Clone, Copy)]
enum Finding {
    /// A significantly worse result, which two variants have.
    Worse,
    /// A result neither worse nor significantly better.
    Equal,
    /// A result that is not significantly better, like all of them.
    NotBetter,
}

const VARIANTS: [(&str, Finding); 8] = [
    ("no input gate", Finding::NotBetter),
    ("no forget gate", Finding::Worse),
    ("no output gate", Finding::NotBetter),
    ("no input activation", Finding::NotBetter),
    ("no output activation", Finding::Worse),
    ("coupled input and forget gate", Finding::Equal),
    ("no peepholes", Finding::Equal),
    ("full gate recurrence", Finding::NotBetter),
];

/// Trains the vanilla LSTM and each variant with several seeds.
pub fn run(options: &Options) -> Vec<Row> {
    let text = Text::sonnets(options.either(usize::MAX, 200));
    let (epochs, seeds) = options.either((EPOCHS, SEEDS), (1, 1));
    let mut jobs = Jobs::new();
    macro_rules! add {
        ($($cell:ident)*) => {$(
            for (seed, rate) in (0..seeds).flat_map(|seed| RATES.map(|rate| (seed, rate))) {
                let text = &text;
                jobs.add(move || {
                    let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed + seed);
                    let (embedding, readout) = (Embedding::init(&mut rng), Dense::init(&mut rng));
                    let cell = $cell::<EMBEDDED, CELLS>::init(&mut rng);
                    let net: CharacterModel<_, EMBEDDED, CELLS> = Stack(Stack(embedding, cell), readout);
                    let Outcome { validation, bits, .. } = learn(net, text, epochs, rate);
                    (validation, bits)
                });
            }
        )*};
    }
    add!(PeepholeLstm);
    add!(GreffNig GreffNfg GreffNog GreffNiaf GreffNoaf GreffCifg GreffNp GreffFgr);
    let outcomes = jobs.run();
    let of_best = |rates: &[(f64, f64)]| rates.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0));
    let bits: Vec<f64> = outcomes.chunks(RATES.len()).filter_map(of_best).map(|(_, bits)| bits).collect();
    let (vanilla, variants) = bits.split_at(seeds as usize);
    let (mean, deviation) = mean_and_deviation(vanilla);
    let mut rows =
        vec![Row::new("vanilla: bits per character", "-", format!("{mean:.3} ± {deviation:.3}"), "")];
    rows.extend(
        VARIANTS
            .iter()
            .zip(variants.chunks(seeds as usize))
            .map(|(variant, bits)| row(*variant, bits, vanilla)),
    );
    rows
}

fn row((name, finding): (&str, Finding), bits: &[f64], vanilla: &[f64]) -> Row {
    let (mean, deviation) = mean_and_deviation(bits);
    let difference = mean - mean_and_deviation(vanilla).0;
    let p = permutation_test(bits, vanilla);
    let significant = p < SIGNIFICANT;
    let (better, worse) = (significant && difference < 0.0, significant && difference > 0.0);
    let published = match finding {
        Finding::Worse => "worse",
        Finding::Equal => "equal",
        Finding::NotBetter => "not better",
    };
    let same = match finding {
        Finding::Worse => worse,
        Finding::Equal => !better && !worse,
        Finding::NotBetter => !better,
    };
    let found = if better {
        "better"
    } else if worse {
        "worse"
    } else {
        "equal"
    };
    let ours = format!("{mean:.3} ± {deviation:.3}; {difference:+.3}, p = {p:.3}: {found}");
    Row::new(name, published, ours, agreement(same))
}

/// Returns the fraction of all splits of the values into two groups of these sizes whose means are
/// at least as far apart.
fn permutation_test(first: &[f64], second: &[f64]) -> f64 {
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let total: f64 = all.iter().sum();
    let (n, m) = (first.len() as f64, second.len() as f64);
    let apart = |sum: f64| (sum / n - (total - sum) / m).abs();
    let observed = apart(first.iter().sum());
    let (mut splits, mut extreme) = (0, 0);
    for members in 0_u32..1 << all.len() {
        if members.count_ones() as usize == first.len() {
            let chosen = all.iter().enumerate().filter(|(place, _)| members & (1 << place) != 0);
            splits += 1;
            // The sums of equal members can differ by rounding.
            extreme += u32::from(apart(chosen.map(|(_, value)| value).sum()) > observed - 1e-9);
        }
    }
    f64::from(extreme) / f64::from(splits)
}
