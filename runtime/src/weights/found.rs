//! Which tensor of a file is which of a mapping: by its name, or by that under another prefix than the mapping's.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Problem, nearest};
use super::mapping::Mapping;
use super::plan::Laid;
use super::tensor::Read;

/// The tensors of a file, matched with those of a mapping.
#[derive(Debug)]
pub(super) struct Found<'f> {
    pub(super) file: &'f [Read<'f>],
    /// The place in the file of each of the mapping's tensors.
    pub(super) places: Vec<Option<usize>>,
    /// The places of tensors that the mapping neither names nor ignores, and that nothing was said of yet.
    pub(super) free: BTreeSet<usize>,
    /// Tensors of the mapping that the file lacks, with the prefix that it has their neighbours under.
    moved: Vec<(usize, &'f str)>,
    /// Tensors of the mapping that the file has under several prefixes.
    pub(super) told: BTreeSet<usize>,
}

/// No more prefixes than so many are told where several would do.
const TOLD: usize = 4;

/// Tensors that the file has under one other prefix.
#[derive(Debug)]
struct Moved<'a> {
    from: &'a str,
    to: Vec<&'a str>,
    /// What they are tensors of, if they are a ready layer's.
    layer: Option<&'static str>,
    moved: usize,
    total: usize,
}

/// Matches the tensors of `file`, which are in the order of their names, with those of `mapping`.
pub(super) fn find<'f>(
    mapping: &Mapping,
    laid: &[Laid],
    file: &'f [Read<'f>],
    problems: &mut Vec<Problem>,
) -> Found<'f> {
    let mut found =
        Found { file, free: BTreeSet::new(), places: Vec::new(), moved: Vec::new(), told: BTreeSet::new() };
    found.places = mapping.tensors.iter().map(|tensor| found.place(&tensor.name)).collect();
    let ignored = |name: &str| mapping.ignored.iter().any(|beginning| name.starts_with(beginning.as_str()));
    let named: BTreeSet<usize> = found.places.iter().flatten().copied().collect();
    let free = (0..file.len()).filter(|place| !named.contains(place) && !ignored(&file[*place].name));
    found.free = free.collect();
    if !found.free.is_empty() && found.places.contains(&None) {
        let moved = found.moved(mapping, laid);
        problems.extend(joined(mapping, moved));
    }
    found
}

impl<'f> Found<'f> {
    /// The place of the tensor of this name.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.file.binary_search_by(|read| read.name.as_str().cmp(name)).ok()
    }

    /// Finds tensors under other prefixes: all those of a prefix and a kind of layer, where the file has none of them.
    fn moved<'a>(&mut self, mapping: &'a Mapping, laid: &[Laid]) -> Vec<Moved<'a>>
    where
        'f: 'a,
    {
        let mut groups: BTreeMap<(&str, Option<&'static str>), Vec<usize>> = BTreeMap::new();
        for (place, tensor) in mapping.tensors.iter().enumerate() {
            let layer = mapping.layer_of(place).map(|layer| layer.kind.layer);
            groups.entry((&tensor.name[..tensor.prefix], layer)).or_default().push(place);
        }
        groups.retain(|_, tensors| tensors.iter().all(|&tensor| self.places[tensor].is_none()));
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, tensors)| usize::MAX - tensors.len());
        let mut all = Vec::new();
        for ((from, layer), tensors) in groups {
            let to = self.prefixes(mapping, laid, &tensors);
            if to.is_empty() {
                continue;
            }
            let (total, mut moved) = (tensors.len(), 0);
            for place in tensors {
                let tensor = &mapping.tensors[place];
                let base = &tensor.name[tensor.prefix..];
                let is = |name: &str| name.strip_suffix(base).is_some_and(|prefix| to.contains(&prefix));
                let held: Vec<usize> =
                    self.free.iter().copied().filter(|&place| is(&self.file[place].name)).collect();
                moved += usize::from(!held.is_empty());
                match (to.as_slice(), held.as_slice()) {
                    ([_], [held]) => self.places[place] = Some(*held),
                    ([to], _) => self.moved.push((place, to)),
                    (_, []) => {}
                    _ => {
                        self.told.insert(place);
                    }
                }
                self.free.retain(|place| !held.contains(place));
            }
            all.push(Moved { from, to, layer, moved, total });
        }
        all
    }

    /// The prefixes under which the file has most of `tensors`, and most of those in the right shape.
    fn prefixes(&self, mapping: &Mapping, laid: &[Laid], tensors: &[usize]) -> Vec<&'f str> {
        let mut counts: BTreeMap<&'f str, (usize, usize)> = BTreeMap::new();
        for &place in tensors {
            let tensor = &mapping.tensors[place];
            let shape = laid.iter().find(|laid| laid.place == place).map(Laid::shape);
            for &held in &self.free {
                let held: &'f Read = &self.file[held];
                let prefix = held.name.strip_suffix(&tensor.name[tensor.prefix..]);
                if let Some(prefix) =
                    prefix.filter(|prefix| prefix.is_empty() || prefix.ends_with(SEPARATORS))
                {
                    let (count, fitting) = counts.entry(prefix).or_default();
                    *count += 1;
                    *fitting += usize::from(shape.as_ref() == Some(&held.shape));
                }
            }
        }
        let best = counts.values().copied().max().unwrap_or_default();
        // Fewer than half of them may be there by chance.
        if 2 * best.0 < tensors.len() {
            return Vec::new();
        }
        counts.into_iter().filter(|(_, count)| *count == best).map(|(prefix, _)| prefix).take(TOLD).collect()
    }

    /// The name that a tensor of the mapping has in the file, or would have.
    pub(super) fn name(&self, mapping: &Mapping, place: usize) -> String {
        let tensor = &mapping.tensors[place];
        match self.moved.iter().find(|(moved, _)| *moved == place) {
            Some((_, prefix)) => format!("{prefix}{}", &tensor.name[tensor.prefix..]),
            None => tensor.name.clone(),
        }
    }

    /// Whether a tensor that nothing was said of has nearly this name.
    pub(super) fn is_similar(&self, name: &str) -> bool {
        nearest(name, self.free.iter().map(|&place| self.file[place].name.as_str())).is_some()
    }

    /// Tells of a tensor that the file lacks.
    pub(super) fn missing(&mut self, mapping: &Mapping, laid: &Laid, parameters: Vec<String>) -> Problem {
        let tensor = self.name(mapping, laid.place);
        let nearest = nearest(&tensor, self.free.iter().map(|&place| self.file[place].name.as_str()));
        // Having been named as the answer, it isn't to be ignored.
        if let Some(nearest) = &nearest {
            self.free.retain(|&place| self.file[place].name != *nearest);
        }
        Problem::Missing { tensor, shape: laid.shape(), parameters, nearest }
    }

    /// Tells of the tensors that nothing was said of.
    pub(super) fn unexpected(&self) -> impl Iterator<Item = Problem> {
        self.free.iter().map(|&place| {
            let read = &self.file[place];
            Problem::Unexpected { tensor: read.name.clone(), shape: read.shape.clone() }
        })
    }
}

/// What stands between the names of a module and of its tensors.
const SEPARATORS: [char; 5] = ['.', '/', ':', '_', '-'];

/// The last part of a prefix, `lstm.` of `net.lstm.`.
fn last(prefix: &str) -> &str {
    let body = prefix.char_indices().next_back().map_or("", |(end, _)| &prefix[..end]);
    &prefix[body.rfind(['.', '/']).map_or(0, |at| at + 1)..]
}

/// What differs between two prefixes before equal ends: `net.` and `model.` of `net.lstm.` and `model.lstm.`.
fn difference<'a>(mut from: &'a str, mut to: &'a str) -> (&'a str, &'a str) {
    while !from.is_empty() && last(from) == last(to) {
        let length = last(from).len();
        (from, to) = (&from[..from.len() - length], &to[..to.len() - length]);
    }
    (from, to)
}

impl<'a> Moved<'a> {
    fn difference(&self) -> Option<(&'a str, &'a str)> {
        match self.to.as_slice() {
            [to] => Some(difference(self.from, to)),
            _ => None,
        }
    }
}

/// A problem for each difference of prefixes.
fn joined(mapping: &Mapping, all: Vec<Moved>) -> Vec<Problem> {
    let mut groups: Vec<Vec<Moved>> = Vec::new();
    for moved in all {
        let own = moved.difference();
        match groups.iter_mut().find(|group| own.is_some() && group[0].difference() == own) {
            Some(group) => group.push(moved),
            None => groups.push(Vec::from([moved])),
        }
    }
    let problems = groups.into_iter().map(|group| {
        let (mut from, mut to) = (group[0].from, group[0].to.clone());
        if group.iter().any(|other| other.from != from) {
            let (outer, other) = difference(from, to[0]);
            (from, to) = (outer, Vec::from([other]));
        }
        let layers: BTreeSet<_> = group.iter().map(|moved| moved.layer).collect();
        let total = group.iter().map(|moved| moved.total).sum();
        Problem::Prefix {
            // Where one layer's name is unknown, the others' would mislead.
            layers: layers.into_iter().collect::<Option<_>>().unwrap_or_default(),
            moved: group.iter().map(|moved| moved.moved).sum(),
            total,
            whole: total == mapping.tensors.len(),
            from: from.to_string(),
            to: to.into_iter().map(ToString::to_string).collect(),
        }
    });
    problems.collect()
}
