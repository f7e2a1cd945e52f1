//! The embedded Reber grammar (Cleeremans et al. 1989; Hochreiter & Schmidhuber 1997, figures 3 and
//! 4).
//!
//! ```text
//! embedded:  B (T inner T | P inner P) E
//! inner:     B, a walk through the graph of `GRAPH`, E
//! ```
//!
//! The second symbol comes back as the last but one, so predicting it requires remembering it over
//! the inner string. The next inner symbol is chosen at random between two, so the best possible
//! prediction is the set of legal symbols.

use rnn_cell::rng::{Rng, below};

/// The number of symbols.
pub const SYMBOLS: usize = 7;

/// The letters of the symbols.
pub const LETTERS: [char; SYMBOLS] = ['B', 'T', 'P', 'S', 'X', 'V', 'E'];

const B: u8 = 0;
const T: u8 = 1;
const P: u8 = 2;
const S: u8 = 3;
const X: u8 = 4;
const V: u8 = 5;
const E: u8 = 6;

/// The inner grammar between B and E: for each node, the possible symbols and the nodes that they
/// lead to.
const GRAPH: [[(u8, usize); 2]; 5] =
    [[(T, 1), (P, 2)], [(S, 1), (X, 3)], [(T, 2), (V, 4)], [(X, 2), (S, LAST)], [(P, 3), (V, LAST)]];

/// The node that is followed by E.
const LAST: usize = 5;

/// A string of the embedded grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReberString {
    /// The symbols, as indices in [`LETTERS`].
    pub symbols: Vec<u8>,
    /// The set of symbols that may follow each symbol: bit `k` stands for symbol `k`. The last
    /// symbol may be followed by B, the beginning of the next string of a stream.
    pub legal: Vec<u8>,
}

impl ReberString {
    /// Draws a random string. Both edges of a node are equally likely.
    pub fn draw(rng: &mut impl Rng) -> Self {
        let outer = [T, P][below(rng, 2)];
        let mut string = Self { symbols: Vec::new(), legal: Vec::new() };
        string.push(B, &[T, P]);
        string.push(outer, &[B]);
        let mut node = 0;
        let mut symbol = B;
        while node != LAST {
            string.push(symbol, &GRAPH[node].map(|(next, _)| next));
            (symbol, node) = GRAPH[node][below(rng, 2)];
        }
        string.push(symbol, &[E]);
        string.push(E, &[outer]);
        string.push(outer, &[E]);
        string.push(E, &[B]);
        string
    }

    /// Returns the step whose prediction requires the second symbol: its next symbol is the last
    /// but one.
    pub fn crucial(&self) -> usize {
        self.symbols.len() - 3
    }

    fn push(&mut self, symbol: u8, next: &[u8]) {
        self.symbols.push(symbol);
        self.legal.push(next.iter().map(|next| 1 << next).sum());
    }
}

/// Returns whether every symbol of the set `legal` has a higher activation than every other symbol,
/// the criterion of 1997.
pub fn predicts(activations: &[f32], legal: u8) -> bool {
    let within = |symbol: usize| legal & (1 << symbol) != 0;
    let lowest_legal =
        (0..SYMBOLS).filter(|&k| within(k)).map(|k| activations[k]).fold(f32::INFINITY, f32::min);
    // Comparisons with NaN are false, so a network that returns NaN predicts nothing.
    (0..SYMBOLS).all(|k| within(k) || activations[k] < lowest_legal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus};

    fn letters(string: &ReberString) -> String {
        string.symbols.iter().map(|&k| LETTERS[usize::from(k)]).collect()
    }

    #[test]
    fn strings_follow_the_grammar() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let strings: Vec<ReberString> = (0..500).map(|_| ReberString::draw(&mut rng)).collect();
        for string in &strings {
            let text = letters(string);
            let outer = &text[1..2];
            assert!(text.starts_with("BTB") || text.starts_with("BPB"), "{text}");
            assert!(text.ends_with(&format!("E{outer}E")), "{text}");
            assert!(text.len() >= 9, "{text}");
            for (t, next) in string.symbols.iter().enumerate().skip(1) {
                assert!(string.legal[t - 1] & (1 << next) != 0, "{text} at {t}");
            }
            assert_eq!(string.legal[string.crucial()], 1 << string.symbols[1], "{text}");
        }
        // Check for the published examples of the inner grammar.
        for inner in ["BTXSE", "BPVVE", "BTSXSE", "BPVPSE"] {
            assert!(strings.iter().any(|string| letters(string) == format!("BT{inner}TE")), "{inner}");
        }
        assert!(strings.iter().all(|string| !letters(string).contains("XE")));
    }

    #[test]
    fn the_criterion_requires_exactly_the_legal_symbols_on_top() {
        let activations = [0.1, 0.5, 0.4, 0.0, 0.3, 0.0, 0.0];
        assert!(predicts(&activations, 1 << T | 1 << P));
        assert!(predicts(&activations, 1 << T));
        assert!(!predicts(&activations, 1 << P));
        assert!(!predicts(&activations, 1 << T | 1 << X));
        assert!(!predicts(&[f32::NAN; SYMBOLS], 1 << T));
        assert!(!predicts(&[0.0; SYMBOLS], 1 << T));
    }
}
