//! Numbers of parameters and operations as polynomials in the dimensions: `4 H I + 4 H² + 4 H`.

use super::{Atom, Dim};
use std::collections::BTreeMap;

/// A polynomial: the coefficient for the powers of the dimensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Polynomial(BTreeMap<Vec<u32>, u64>);

impl Polynomial {
    /// Returns a multiple of a product of dimensions.
    pub fn product(times: u64, atoms: &[Atom]) -> Self {
        let mut powers = vec![];
        let mut coefficient = times;
        let factors = atoms.iter().map(|atom| atom.split_heads()).flat_map(|(heads, size)| [heads, size]);
        for atom in factors {
            // The literal of a name is 0.
            coefficient = coefficient.saturating_mul(atom.literal().max(1));
            for index in atom.names() {
                if powers.len() <= index {
                    powers.resize(index + 1, 0);
                }
                powers[index] += 1;
            }
        }
        Polynomial::from_iter([(powers, coefficient)])
    }

    /// Returns the number of entries of a matrix per head.
    pub fn size(heads: Atom, rows: &Dim, columns: &Dim) -> Self {
        let mut sum = Polynomial::default();
        for row in rows.atoms() {
            for column in columns.atoms() {
                sum.add(&Polynomial::product(1, &[heads, *row, *column]));
            }
        }
        sum
    }

    pub fn add(&mut self, other: &Polynomial) {
        for (powers, coefficient) in &other.0 {
            let sum = self.0.entry(powers.clone()).or_default();
            *sum = sum.saturating_add(*coefficient);
        }
    }

    /// Returns the terms by descending degree, then in the order of the dimensions.
    pub fn terms(&self) -> Vec<(&Vec<u32>, u64)> {
        let mut terms: Vec<_> = self.0.iter().map(|(powers, count)| (powers, *count)).collect();
        terms.retain(|(_, count)| *count > 0);
        terms.sort_by(|(a, _), (b, _)| (b.iter().sum::<u32>(), b).cmp(&(a.iter().sum::<u32>(), a)));
        terms
    }
}

impl FromIterator<(Vec<u32>, u64)> for Polynomial {
    fn from_iter<I: IntoIterator<Item = (Vec<u32>, u64)>>(terms: I) -> Self {
        Polynomial(terms.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_an_lstm_with_stacked_weights() {
        let (h, i) = (Atom::Name(1), Atom::Name(0));
        let mut sum = Polynomial::default();
        for _ in 0..4 {
            sum.add(&Polynomial::size(Atom::ONE, &Dim::sum([h]), &Dim::sum([h, i])));
            sum.add(&Polynomial::size(Atom::ONE, &Dim::sum([h]), &Dim::one()));
        }
        let terms: Vec<(Vec<u32>, u64)> =
            sum.terms().into_iter().map(|(powers, count)| (powers.clone(), count)).collect();
        assert_eq!(terms, [(vec![1, 1], 4), (vec![0, 2], 4), (vec![0, 1], 4)]);
    }

    #[test]
    fn literals_multiply() {
        let product = Polynomial::product(2, &[Atom::Literal(3), Atom::Name(0), Atom::Literal(5)]);
        assert_eq!(product, Polynomial::from_iter([(vec![1], 30)]));
        assert_eq!(Polynomial::product(7, &[]), Polynomial::from_iter([(vec![], 7)]));
    }
}
