//! Reports of biases that only the file or only the mapping has.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::super::error::Problem;
use super::super::mapping::Mapping;
use super::names::Matches;
use super::resolve::ResolvedTensor;

/// Reports the layers for which the file lacks all biases, and the biases of the file that the
/// mapping omits. Returns the indices of the biases that the file lacks.
pub(super) fn report(
    mapping: &Mapping,
    resolved: &[ResolvedTensor],
    matches: &mut Matches,
    problems: &mut Vec<Problem>,
) -> BTreeSet<usize> {
    let missing = missing(mapping, resolved, matches);
    if !missing.is_empty() {
        let tensors = missing.iter().map(|&index| matches.name(mapping, index));
        problems.push(Problem::MissingBiases { tensors: tensors.collect() });
    }
    let omitted = mapping.omitted.iter().filter_map(|tensor| matches.index(&tensor.name));
    let mut unexpected: Vec<usize> = omitted.collect();
    unexpected.retain(|index| matches.unmatched.remove(index));
    if !unexpected.is_empty() {
        let tensors = unexpected.into_iter().map(|index| matches.file[index].name.clone()).collect();
        problems.push(Problem::UnexpectedBiases { tensors });
    }
    missing
}

/// Returns the indices of the biases that the file lacks. Only considers layers whose other tensors
/// are in the file.
fn missing(mapping: &Mapping, resolved: &[ResolvedTensor], matches: &Matches) -> BTreeSet<usize> {
    let mut missing = BTreeSet::new();
    for layer in &mapping.layers {
        let (biases, others): (Vec<usize>, Vec<usize>) =
            layer.tensors.clone().partition(|&index| mapping.tensors[index].is_bias());
        let has_similar = |&index: &usize| matches.is_similar(&matches.name(mapping, index));
        if biases.iter().all(|&index| matches.tensor(index).is_none())
            && others.iter().all(|&index| matches.tensor(index).is_some())
            && !biases.iter().any(has_similar)
        {
            missing.extend(biases);
        }
    }
    missing.retain(|&index| resolved.iter().any(|tensor| tensor.index == index));
    missing
}
