//! Distances between labellings and their targets.

use alloc::vec::Vec;

/// Returns the Levenshtein distance: the smallest number of insertions, deletions and substitutions
/// of one item that change `a` into `b`.
///
/// ```
/// use rnn_cell::train::ctc::edit_distance;
///
/// assert_eq!(edit_distance(b"kitten", b"sitting"), 3);
/// ```
pub fn edit_distance<I: PartialEq>(a: &[I], b: &[I]) -> usize {
    // `row[j]` is the distance between the items of `a` so far and the first `j` items of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, item) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(item != other);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Returns the label error rate (Graves et al. 2006, equation 1): the sum of the edit distances of
/// all labellings from their targets, divided by the number of labels in the targets. It can be
/// above 1. If the targets have no labels at all it is infinite, or NaN if the labellings are empty
/// too.
pub fn label_error_rate<A: AsRef<[u32]>, B: AsRef<[u32]>>(pairs: impl IntoIterator<Item = (A, B)>) -> f64 {
    let (mut errors, mut labels) = (0, 0);
    for (labelling, target) in pairs {
        errors += edit_distance(labelling.as_ref(), target.as_ref());
        labels += target.as_ref().len();
    }
    errors as f64 / labels as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_agree_with_values_by_hand() {
        for (a, b, distance) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("abc", "axc", 1),
            ("abc", "bc", 1),
            ("abcd", "acbd", 2),
            ("intention", "execution", 5),
        ] {
            assert_eq!(edit_distance(a.as_bytes(), b.as_bytes()), distance, "{a} {b}");
            assert_eq!(edit_distance(b.as_bytes(), a.as_bytes()), distance, "{b} {a}");
        }
    }

    #[test]
    fn the_rate_is_per_label() {
        let rate = label_error_rate([(vec![1, 2, 3], vec![1, 2]), (vec![], vec![4]), (vec![5], vec![5])]);
        assert_eq!(rate, 0.5);
        assert_eq!(label_error_rate([(vec![1], vec![])]), f64::INFINITY);
        assert!(label_error_rate::<[u32; 0], [u32; 0]>([]).is_nan());
    }
}
