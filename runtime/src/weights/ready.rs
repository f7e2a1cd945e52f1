//! The layers that ready mappings are of. What is wrong with a whole layer (its cell, its path) is told once, rather than
//! for each of its parameters.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::collections::btree_set::Difference;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use super::error::Problem;
use super::mapping::Mapping;
use super::plan::Held;
use super::{keras, torch};

/// A layer of another program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The function that makes its mapping.
    pub(super) mapping: &'static str,
    /// The layer, in that program's words.
    pub(super) layer: &'static str,
    /// The cell that it is here.
    pub(super) cell: &'static str,
    /// Whether it has a hidden size: its first tensor multiplies the input, its second the hidden state.
    pub(super) recurrent: bool,
    /// Whether its mapping takes the layer's number and direction.
    pub(super) numbered: bool,
}

impl Kind {
    /// The program: the module of the mapping.
    fn program(&self) -> &'static str {
        self.mapping.split(':').next().unwrap_or_default()
    }
}

/// A layer of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) kind: &'static Kind,
    /// Its tensors, among the mapping's.
    pub(super) tensors: Range<usize>,
    /// What [`Mapping::under`] put before its parameters.
    pub(super) path: String,
}

/// Every layer for which there is a mapping, once.
fn all() -> [Mapping; 9] {
    use torch::Direction::Forward;
    [
        torch::lstm(0, Forward),
        torch::gru(0, Forward),
        torch::rnn(0, Forward),
        torch::linear(),
        keras::lstm(),
        keras::gru(),
        keras::gru_reset_before(),
        keras::simple_rnn(),
        keras::dense(),
    ]
}

/// The layers of the programs that `mapping` is of whose cell has just these parameters.
pub(super) fn layers_of(mapping: &Mapping, parameters: &BTreeSet<&str>) -> Vec<Mapping> {
    let programs: BTreeSet<_> = mapping.layers.iter().map(|layer| layer.kind.program()).collect();
    let known = all().into_iter().filter(|one| programs.contains(one.layers[0].kind.program()));
    known.filter(|one| names(one) == *parameters).collect()
}

/// The parameters that a mapping of one layer gives.
fn names(mapping: &Mapping) -> BTreeSet<&str> {
    let parts = mapping.tensors.iter().flat_map(|tensor| tensor.stacks.iter().flatten());
    parts.map(|part| part.parameter.as_str()).collect()
}

/// A path and the name behind it.
pub(super) fn split(parameter: &str) -> (&str, &str) {
    parameter.rsplit_once('.').unwrap_or(("", parameter))
}

/// Where the layers of a mapping are in a model.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The path of each layer in the model, where another than the mapping's is meant; none where its cell isn't
    /// there, so that its tensors cannot be laid out.
    pub(super) paths: Vec<Option<String>>,
    /// Paths whose parameters a layer was perhaps meant to give.
    pub(super) meant: BTreeSet<String>,
    /// Whether a layer's cell is nowhere.
    pub(super) lost: bool,
}

/// Finds the cell of every layer of `mapping`. A layer whose cell is at another path is taken to be meant for that
/// one, so that what else is wrong with it is told too.
pub(super) fn places(mapping: &Mapping, held: &[Held], problems: &mut Vec<Problem>) -> Places {
    let mut cells: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for held in held {
        let (path, name) = split(&held.path);
        match cells.iter_mut().find(|(other, _)| *other == path) {
            Some((_, names)) => {
                names.insert(name);
            }
            None => cells.push((path, BTreeSet::from([name]))),
        }
    }
    let wanted: Vec<BTreeSet<&str>> = mapping.layers.iter().map(|layer| wanted(mapping, layer)).collect();
    let own = |layer: &Ready| cells.iter().find(|(path, _)| *path == layer.path);
    // A cell of one's own may have more parameters than the layer; an `Elman`, which has all of a `Dense`, is none.
    let is = |layer: &Ready, wanted: &BTreeSet<&str>, names: &BTreeSet<&str>| {
        names == wanted
            || names.is_superset(wanted) && cell_of(names).is_none_or(|cell| cell == layer.kind.cell)
    };
    let sound = |layer: &Ready, wanted: &BTreeSet<&str>| {
        own(layer).is_some_and(|(_, names)| is(layer, wanted, names))
    };
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for (layer, wanted) in mapping.layers.iter().zip(&wanted) {
        if sound(layer, wanted) {
            taken.insert(&layer.path);
        }
    }
    let mut places = Places::default();
    for (layer, wanted) in mapping.layers.iter().zip(&wanted) {
        if sound(layer, wanted) {
            places.paths.push(Some(layer.path.clone()));
            continue;
        }
        if let Some((path, names)) = own(layer) {
            wrong_cell(layer, wanted, names, problems);
            places.meant.insert(path.to_string());
            places.paths.push(None);
            continue;
        }
        let others = cells.iter().filter(|(path, names)| is(layer, wanted, names) && !taken.contains(path));
        let others: Vec<&str> = others.map(|(path, _)| *path).collect();
        // Of the layers that lack the same path before theirs, each is at the end of its own.
        let behind: Vec<&str> =
            others.iter().copied().filter(|path| outer(path, &layer.path).is_some()).collect();
        let others = if layer.path.is_empty() || behind.is_empty() { others } else { behind };
        match others.as_slice() {
            [] => {
                let has = cells.iter().map(|(path, names)| (path.to_string(), cell_of(names))).collect();
                let (mapping, cell) = (layer.kind.mapping, layer.kind.cell);
                problems.push(Problem::NoCell { mapping, cell, under: layer.path.clone(), has });
                places.paths.push(None);
                places.lost = true;
            }
            [one] => {
                taken.insert(one);
                places.paths.push(Some(one.to_string()));
                another_path(layer, &[one], problems);
            }
            others => {
                places.meant.extend(others.iter().map(|path| path.to_string()));
                places.paths.push(None);
                another_path(layer, others, problems);
            }
        }
    }
    places
}

/// The names of the parameters that a layer gives.
fn wanted<'m>(mapping: &'m Mapping, layer: &Ready) -> BTreeSet<&'m str> {
    let own = mapping.tensors[layer.tensors.clone()].iter().chain(&mapping.omitted);
    let parts = own.flat_map(|tensor| tensor.stacks.iter().flatten()).map(|part| split(&part.parameter));
    parts.filter(|(path, _)| *path == layer.path).map(|(_, name)| name).collect()
}

/// The layers whose cell has just these parameters.
fn known(parameters: &BTreeSet<&str>) -> Vec<&'static Kind> {
    let known = all().into_iter().filter(|mapping| names(mapping) == *parameters);
    known.map(|mapping| mapping.layers[0].kind).collect()
}

/// The name of the cell that has these parameters, if it is one that another program has a layer for.
fn cell_of(parameters: &BTreeSet<&str>) -> Option<&'static str> {
    known(parameters).first().map(|kind| kind.cell)
}

/// What stands before `end` in `path`, if that is its end.
fn outer<'p>(path: &'p str, end: &str) -> Option<&'p str> {
    path.strip_suffix(end)?.strip_suffix('.')
}

fn wrong_cell(layer: &Ready, wanted: &BTreeSet<&str>, names: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    let kind = layer.kind;
    let known = known(names);
    let cell = known.first().map(|kind| kind.cell);
    for problem in &mut *problems {
        if let Problem::WrongCell { mapping, cell: other, paths, .. } = problem
            && (*mapping, *other) == (kind.mapping, cell)
            && cell.is_some()
        {
            paths.push(layer.path.clone());
            return;
        }
    }
    let own = |names: Difference<&str>| names.map(ToString::to_string).collect();
    problems.push(Problem::WrongCell {
        mapping: kind.mapping,
        wanted: kind.cell,
        cell,
        fitting: known.iter().find(|known| known.program() == kind.program()).map(|known| known.mapping),
        paths: Vec::from([layer.path.clone()]),
        differs: cell
            .is_none()
            .then(|| Box::new([wanted.difference(names), names.difference(wanted)].map(own))),
    });
}

fn another_path(layer: &Ready, others: &[&str], problems: &mut Vec<Problem>) {
    let before = match others {
        [one] => outer(one, &layer.path).map(ToString::to_string),
        _ => None,
    };
    let at = others.iter().map(|path| path.to_string());
    for problem in &mut *problems {
        if let Problem::OtherPath { mapping, under, at: ats, before: outer, .. } = problem
            && *mapping == layer.kind.mapping
            && outer.is_some()
            && *outer == before
        {
            under.push(layer.path.clone());
            ats.extend(at);
            return;
        }
    }
    problems.push(Problem::OtherPath {
        mapping: layer.kind.mapping,
        cell: layer.kind.cell,
        under: Vec::from([layer.path.clone()]),
        at: at.collect(),
        before,
    });
}
