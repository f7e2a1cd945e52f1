//! Tasks that require memory. The sequences of every batch are new.

use examples::adding;
use nalgebra::SMatrix;
use rnn_cell::rng::{Xoshiro256PlusPlus, below, normal, shuffle};
use rnn_cell::train::loss::{arg_max, mean_squared_error, softmax_cross_entropy};

/// The number of sequences of a batch.
pub const BATCH: usize = 16;

/// The error of a task with numbers, and of one with symbols.
const NUMBERS: &str = "squared error";
const SYMBOLS: &str = "symbols wrong";

/// The inputs or outputs of a step, one sequence per column.
pub type Step<const N: usize> = SMatrix<f32, N, BATCH>;

/// The target of a step.
pub enum Target<const O: usize> {
    /// No target.
    None,
    /// Real numbers.
    Numbers(Step<O>),
    /// One of `O` symbols for each sequence.
    Symbols([u32; BATCH]),
}

impl<const O: usize> Target<O> {
    /// Returns the loss of an output and its gradient, each divided by `share`.
    pub fn loss(&self, y: &Step<O>, share: f32) -> (f32, Step<O>) {
        let (loss, gradient) = match self {
            Target::None => (0.0, Step::zeros()),
            Target::Numbers(target) => mean_squared_error(y, target),
            Target::Symbols(classes) => softmax_cross_entropy(y, classes),
        };
        (loss / share, gradient / share)
    }

    /// Returns the numerator and the denominator of the error. For numbers, these are the squared
    /// error and the square of the target, whose mean is zero; for symbols, the number of wrong
    /// symbols and the number of all.
    pub fn error(&self, y: &Step<O>) -> (f64, f64) {
        match self {
            Target::None => (0.0, 0.0),
            Target::Numbers(target) => {
                (f64::from((y - target).norm_squared()), f64::from(target.norm_squared()))
            }
            Target::Symbols(classes) => {
                let wrong = arg_max(y).iter().zip(classes).filter(|(said, class)| said != class).count();
                (wrong as f64, BATCH as f64)
            }
        }
    }
}

/// A batch of sequences with `I` inputs per step and targets of `O` numbers or symbols.
pub struct Drawn<const I: usize, const O: usize> {
    pub xs: Vec<Step<I>>,
    pub targets: Vec<Target<O>>,
}

/// A task to learn.
pub struct Task<const I: usize, const O: usize> {
    pub name: &'static str,
    /// The name of the error.
    pub measure: &'static str,
    pub draw: fn(&mut Xoshiro256PlusPlus) -> Drawn<I, O>,
    /// The error of the best constant prediction: the mean of the numbers, or the frequencies of
    /// the symbols.
    pub baseline: f64,
    pub updates: usize,
    /// The initial learning rate.
    pub rate: f64,
}

/// The delay of [`DELAY`] in steps.
const AGO: usize = 20;

/// The task of repeating the noise of twenty steps ago at every step. It requires remembering
/// twenty numbers in their order.
pub static DELAY: Task<1, 1> = Task {
    name: "repeat noise 20 steps later",
    measure: NUMBERS,
    draw: delay,
    baseline: 1.0,
    updates: 2000,
    rate: 1e-2,
};

fn delay(rng: &mut Xoshiro256PlusPlus) -> Drawn<1, 1> {
    let xs: Vec<Step<1>> = (0..3 * AGO).map(|_| Step::from_fn(|_, _| normal(rng) as f32)).collect();
    let target = |t: usize| if t < AGO { Target::None } else { Target::Numbers(xs[t - AGO]) };
    Drawn { targets: (0..xs.len()).map(target).collect(), xs }
}

/// The adding problem (Hochreiter & Schmidhuber 1997): the sum of two marked numbers among forty.
pub static ADDING: Task<2, 1> = Task {
    name: "add two marked numbers of 40",
    measure: NUMBERS,
    draw: sum_of_two,
    baseline: 1.0,
    updates: 2000,
    rate: 1e-2,
};

fn sum_of_two(rng: &mut Xoshiro256PlusPlus) -> Drawn<2, 1> {
    const STEPS: usize = 40;
    let (xs, sums) = adding::draw(STEPS, -1.0..1.0, rng);
    Drawn { targets: at_the_end(STEPS, vec![Target::Numbers(sums)]), xs }
}

/// Selective copying (Gu & Dao 2023, section 4.1.1, reduced). Four symbols out of four kinds are at
/// random places among sixteen blanks and must be repeated in order at the end. Their distance from
/// the end differs from sequence to sequence.
pub static SELECTIVE: Task<6, 4> = Task {
    name: "copy 4 symbols among 16 blanks",
    measure: SYMBOLS,
    draw: selective,
    baseline: 0.75,
    updates: 2000,
    rate: 5e-3,
};

fn selective(rng: &mut Xoshiro256PlusPlus) -> Drawn<6, 4> {
    const COPIED: usize = 4;
    const READ: usize = 20;
    const BLANK: usize = 4;
    const ASK: usize = 5;
    let mut xs = vec![Step::<6>::zeros(); READ + COPIED];
    let mut symbols = vec![[0; BATCH]; COPIED];
    for b in 0..BATCH {
        let mut places: Vec<usize> = (0..READ).collect();
        shuffle(&mut places, rng);
        places.truncate(COPIED);
        places.sort_unstable();
        for (t, x) in xs.iter_mut().enumerate() {
            let seen = match places.iter().position(|place| *place == t) {
                _ if t >= READ => ASK,
                Some(index) => {
                    symbols[index][b] = below(rng, BLANK) as u32;
                    symbols[index][b] as usize
                }
                None => BLANK,
            };
            x[(seen, b)] = 1.0;
        }
    }
    Drawn { targets: at_the_end(xs.len(), symbols.into_iter().map(Target::Symbols).collect()), xs }
}

/// Associative recall (Ba et al. 2016 and many since): four pairs of a key (one of six) and a value
/// (one of four), then the keys again in another order, each with its value as the target.
pub static RECALL: Task<10, 4> = Task {
    name: "recall the values of 4 keys",
    measure: SYMBOLS,
    draw: recall,
    baseline: 0.75,
    updates: 2000,
    rate: 5e-3,
};

fn recall(rng: &mut Xoshiro256PlusPlus) -> Drawn<10, 4> {
    const KEYS: usize = 6;
    const VALUES: usize = 4;
    const PAIRS: usize = 4;
    let mut xs = vec![Step::<10>::zeros(); 3 * PAIRS];
    let mut values = vec![[0; BATCH]; PAIRS];
    for b in 0..BATCH {
        let mut keys: Vec<usize> = (0..KEYS).collect();
        shuffle(&mut keys, rng);
        let mut order: Vec<usize> = (0..PAIRS).collect();
        shuffle(&mut order, rng);
        for pair in 0..PAIRS {
            let value = below(rng, VALUES);
            xs[2 * pair][(keys[pair], b)] = 1.0;
            xs[2 * pair + 1][(KEYS + value, b)] = 1.0;
            xs[2 * PAIRS + order[pair]][(keys[pair], b)] = 1.0;
            values[order[pair]][b] = value as u32;
        }
    }
    Drawn { targets: at_the_end(xs.len(), values.into_iter().map(Target::Symbols).collect()), xs }
}

/// Returns targets for the last steps only.
fn at_the_end<const O: usize>(steps: usize, last: Vec<Target<O>>) -> Vec<Target<O>> {
    let before = (last.len()..steps).map(|_| Target::None);
    before.chain(last).collect()
}
