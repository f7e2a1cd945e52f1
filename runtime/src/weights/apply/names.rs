//! The tensors of a file and of a mapping, matched by name. If the file has a whole layer under
//! another prefix than the mapping, its tensors are matched by the rest of their names.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::error::{Problem, nearest};
use super::super::mapping::Mapping;
use super::super::tensor::FileTensor;
use super::resolve::ResolvedTensor;

/// The tensors of a file, matched with those of a mapping.
#[derive(Debug)]
pub(super) struct Matches<'f> {
    /// The tensors of the file, sorted by name.
    pub(super) file: &'f [FileTensor<'f>],
    /// The index in the file of each tensor of the mapping.
    indices: Vec<Option<usize>>,
    /// The indices of the file's tensors that the mapping neither names nor ignores and that no
    /// problem mentions yet.
    pub(super) unmatched: BTreeSet<usize>,
    /// The tensors of the mapping that the file lacks, each with the prefix of their neighbours in
    /// the file.
    moved: Vec<(usize, &'f str)>,
    /// The tensors of the mapping that the file has under several prefixes.
    pub(super) ambiguous: BTreeSet<usize>,
}

/// The largest number of prefixes that a message lists if several would fit.
const PREFIXES: usize = 4;

/// The tensors of one layer or one prefix that the file has under another prefix.
#[derive(Debug)]
struct Move<'a> {
    from: &'a str,
    to: Vec<&'a str>,
    /// The layer of the tensors, if it comes from a ready mapping.
    layer: Option<&'static str>,
    moved: usize,
    total: usize,
}

/// Matches the tensors of `file`, which are sorted by name, with those of `mapping`.
pub(super) fn match_names<'f>(
    mapping: &Mapping,
    resolved: &[ResolvedTensor],
    file: &'f [FileTensor<'f>],
    problems: &mut Vec<Problem>,
) -> Matches<'f> {
    let mut matches = Matches {
        file,
        unmatched: BTreeSet::new(),
        indices: Vec::new(),
        moved: Vec::new(),
        ambiguous: BTreeSet::new(),
    };
    matches.indices = mapping.tensors.iter().map(|tensor| matches.index(&tensor.name)).collect();
    let named: BTreeSet<usize> = matches.indices.iter().flatten().copied().collect();
    let is_ignored =
        |name: &str| mapping.ignored.iter().any(|beginning| name.starts_with(beginning.as_str()));
    let unmatched = (0..file.len()).filter(|index| !named.contains(index) && !is_ignored(&file[*index].name));
    matches.unmatched = unmatched.collect();
    if !matches.unmatched.is_empty() && matches.indices.contains(&None) {
        let moves = matches.find_moves(mapping, resolved);
        problems.extend(join_moves(mapping, moves));
    }
    matches
}

impl<'f> Matches<'f> {
    /// Returns the index in the file of the tensor with this name.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.file.binary_search_by(|tensor| tensor.name.as_str().cmp(name)).ok()
    }

    /// Returns the file's tensor that matches the mapping's tensor at `index`.
    pub(super) fn tensor(&self, index: usize) -> Option<&'f FileTensor<'f>> {
        self.indices[index].map(|index| &self.file[index])
    }

    /// Returns the names of the file's tensors that are not matched.
    fn unmatched_names(&self) -> impl Iterator<Item = &'f str> + Clone {
        self.unmatched.iter().map(|&index| self.file[index].name.as_str())
    }

    /// Finds tensors under other prefixes. Only considers groups of one prefix and one kind of
    /// layer from which the file has no tensor.
    fn find_moves<'a>(&mut self, mapping: &'a Mapping, resolved: &[ResolvedTensor]) -> Vec<Move<'a>>
    where
        'f: 'a,
    {
        let mut groups: BTreeMap<(&str, Option<&'static str>), Vec<usize>> = BTreeMap::new();
        for (index, tensor) in mapping.tensors.iter().enumerate() {
            let layer = mapping.layer_of(index).map(|layer| layer.kind.layer);
            groups.entry((&tensor.name[..tensor.prefix], layer)).or_default().push(index);
        }
        groups.retain(|_, tensors| tensors.iter().all(|&tensor| self.indices[tensor].is_none()));
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, tensors)| usize::MAX - tensors.len());
        let mut all = Vec::new();
        for ((from, layer), tensors) in groups {
            let to = self.likely_prefixes(mapping, resolved, &tensors);
            if to.is_empty() {
                continue;
            }
            let (total, mut moved) = (tensors.len(), 0);
            for index in tensors {
                let base = mapping.tensors[index].base();
                let is = |name: &str| name.strip_suffix(base).is_some_and(|prefix| to.contains(&prefix));
                let found: Vec<usize> =
                    self.unmatched.iter().copied().filter(|&index| is(&self.file[index].name)).collect();
                moved += usize::from(!found.is_empty());
                match (to.as_slice(), found.as_slice()) {
                    ([_], [found]) => self.indices[index] = Some(*found),
                    ([to], _) => self.moved.push((index, to)),
                    (_, []) => {}
                    _ => {
                        self.ambiguous.insert(index);
                    }
                }
                self.unmatched.retain(|index| !found.contains(index));
            }
            all.push(Move { from, to, layer, moved, total });
        }
        all
    }

    /// Returns the prefixes under which the file has most of `tensors`; among these, the ones with
    /// the largest number of tensors of the right shape.
    fn likely_prefixes(
        &self,
        mapping: &Mapping,
        resolved: &[ResolvedTensor],
        tensors: &[usize],
    ) -> Vec<&'f str> {
        let mut counts: BTreeMap<&'f str, (usize, usize)> = BTreeMap::new();
        for &index in tensors {
            let base = mapping.tensors[index].base();
            let shape = resolved.iter().find(|tensor| tensor.index == index).map(ResolvedTensor::shape);
            for &unmatched in &self.unmatched {
                let tensor: &'f FileTensor = &self.file[unmatched];
                let prefix = tensor.name.strip_suffix(base);
                if let Some(prefix) =
                    prefix.filter(|prefix| prefix.is_empty() || prefix.ends_with(SEPARATORS))
                {
                    let (count, fitting) = counts.entry(prefix).or_default();
                    *count += 1;
                    *fitting += usize::from(shape.as_ref() == Some(&tensor.shape));
                }
            }
        }
        let best = counts.values().copied().max().unwrap_or_default();
        // Fewer than half of them may be a coincidence.
        if 2 * best.0 < tensors.len() {
            return Vec::new();
        }
        let best = counts.into_iter().filter(|(_, count)| *count == best);
        best.map(|(prefix, _)| prefix).take(PREFIXES).collect()
    }

    /// Returns the name of the mapping's tensor at `index`, with the file's prefix.
    pub(super) fn name(&self, mapping: &Mapping, index: usize) -> String {
        let tensor = &mapping.tensors[index];
        match self.moved.iter().find(|(moved, _)| *moved == index) {
            Some((_, prefix)) => format!("{prefix}{}", tensor.base()),
            None => tensor.name.clone(),
        }
    }

    /// Returns whether an unmatched tensor has a similar name.
    pub(super) fn is_similar(&self, name: &str) -> bool {
        nearest(name, self.unmatched_names()).is_some()
    }

    /// Returns the problem that the file lacks a tensor. An unmatched tensor with a similar name
    /// counts as mentioned.
    pub(super) fn missing(
        &mut self,
        mapping: &Mapping,
        resolved: &ResolvedTensor,
        parameters: Vec<String>,
    ) -> Problem {
        let tensor = self.name(mapping, resolved.index);
        let nearest = nearest(&tensor, self.unmatched_names());
        if let Some(nearest) = &nearest {
            self.unmatched.retain(|&index| self.file[index].name != *nearest);
        }
        Problem::Missing { tensor, shape: resolved.shape(), parameters, nearest }
    }

    /// Returns a problem for each unmatched tensor.
    pub(super) fn unexpected(&self) -> impl Iterator<Item = Problem> {
        self.unmatched.iter().map(|&index| {
            let tensor = &self.file[index];
            Problem::Unexpected { tensor: tensor.name.clone(), shape: tensor.shape.clone() }
        })
    }
}

/// The characters between the names of a module and of its tensors.
const SEPARATORS: [char; 5] = ['.', '/', ':', '_', '-'];

/// Returns the last part of a prefix: `lstm.` of `net.lstm.`.
fn last_part(prefix: &str) -> &str {
    let body = prefix.char_indices().next_back().map_or("", |(end, _)| &prefix[..end]);
    &prefix[body.rfind(['.', '/']).map_or(0, |at| at + 1)..]
}

/// Returns two prefixes without their common end: `net.` and `model.` of `net.lstm.` and
/// `model.lstm.`.
fn difference<'a>(mut from: &'a str, mut to: &'a str) -> (&'a str, &'a str) {
    while !from.is_empty() && last_part(from) == last_part(to) {
        let length = last_part(from).len();
        (from, to) = (&from[..from.len() - length], &to[..to.len() - length]);
    }
    (from, to)
}

impl<'a> Move<'a> {
    /// Returns the parts of the two prefixes that differ, if there is only one new prefix.
    fn difference(&self) -> Option<(&'a str, &'a str)> {
        match self.to.as_slice() {
            [to] => Some(difference(self.from, to)),
            _ => None,
        }
    }
}

/// Returns one problem for all moves with the same difference of prefixes.
fn join_moves(mapping: &Mapping, moves: Vec<Move>) -> Vec<Problem> {
    let mut groups: Vec<Vec<Move>> = Vec::new();
    for one in moves {
        let own = one.difference();
        match groups.iter_mut().find(|group| own.is_some() && group[0].difference() == own) {
            Some(group) => group.push(one),
            None => groups.push(Vec::from([one])),
        }
    }
    let problems = groups.into_iter().map(|group| {
        let (mut from, mut to) = (group[0].from, group[0].to.clone());
        if group.iter().any(|other| other.from != from) {
            let (outer, other) = difference(from, to[0]);
            (from, to) = (outer, Vec::from([other]));
        }
        let layers: BTreeSet<_> = group.iter().map(|one| one.layer).collect();
        let total = group.iter().map(|one| one.total).sum();
        Problem::Prefix {
            // If one layer's name is unknown, those of the others would mislead.
            layers: layers.into_iter().collect::<Option<_>>().unwrap_or_default(),
            moved: group.iter().map(|one| one.moved).sum(),
            total,
            whole: total == mapping.tensors.len(),
            from: from.to_string(),
            to: to.into_iter().map(ToString::to_string).collect(),
        }
    });
    problems.collect()
}
