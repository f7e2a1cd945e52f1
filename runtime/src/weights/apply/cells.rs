//! The cells in a model that the layers of a mapping belong to.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::collections::btree_set::Difference;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::error::Problem;
use super::super::mapping::{MappedLayer, Mapping, Tensor};
use super::super::parameters::{Parameter, split_path};
use super::known_layers;

/// The cells of a mapping's layers.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// The path of each layer's cell in the model; `None` if the cell is missing, so that the
    /// layer's tensors cannot be resolved.
    pub(super) paths: Vec<Option<String>>,
    /// Paths of cells that a layer may be meant for. Their parameters are not reported as unmapped.
    pub(super) candidates: BTreeSet<String>,
    /// True if the model lacks the cell of a layer.
    pub(super) is_missing_one: bool,
}

/// Finds the cell of every layer of `mapping`. If a layer's cell is at another path, the layer
/// counts as one for that path, so that its other mistakes are reported too.
pub(super) fn find_cells(mapping: &Mapping, parameters: &[Parameter], problems: &mut Vec<Problem>) -> Cells {
    let model = cells(parameters);
    let layers: Vec<(&MappedLayer, BTreeSet<&str>)> =
        mapping.layers.iter().map(|layer| (layer, parameters_of(mapping, layer))).collect();
    let own = |layer: &MappedLayer| model.iter().find(|(path, _)| *path == layer.path);
    // A user's cell may have more parameters than the layer. But an `Elman`, which has all
    // parameters of a `Dense`, is not a `Dense`.
    let fits = |layer: &MappedLayer, wanted: &BTreeSet<&str>, names: &BTreeSet<&str>| {
        names == wanted
            || names.is_superset(wanted)
                && known_layers::cell(names).is_none_or(|cell| cell == layer.kind.cell)
    };
    let is_sound = |layer: &MappedLayer, wanted: &BTreeSet<&str>| {
        own(layer).is_some_and(|(_, names)| fits(layer, wanted, names))
    };
    let sound = layers.iter().filter(|(layer, wanted)| is_sound(layer, wanted));
    let mut taken: BTreeSet<&str> = sound.map(|(layer, _)| layer.path.as_str()).collect();
    let mut cells = Cells::default();
    for (layer, wanted) in &layers {
        if is_sound(layer, wanted) {
            cells.paths.push(Some(layer.path.clone()));
            continue;
        }
        if let Some((path, names)) = own(layer) {
            report_wrong_cell(layer, wanted, names, problems);
            cells.candidates.insert(path.to_string());
            cells.paths.push(None);
            continue;
        }
        let others = model.iter().filter(|(path, names)| fits(layer, wanted, names) && !taken.contains(path));
        let others: Vec<&str> = others.map(|(path, _)| *path).collect();
        // If several layers lack the same beginning of their path, each cell's path ends with the
        // path of its layer.
        let longer: Vec<&str> =
            others.iter().copied().filter(|path| beginning(path, &layer.path).is_some()).collect();
        let others = if layer.path.is_empty() || longer.is_empty() { others } else { longer };
        match others.as_slice() {
            [] => {
                let has = model.iter().map(|(path, names)| (path.to_string(), known_layers::cell(names)));
                let (mapping, cell) = (layer.kind.mapping, layer.kind.cell);
                let (under, has) = (layer.path.clone(), has.collect());
                problems.push(Problem::NoCell { mapping, cell, under, has });
                cells.paths.push(None);
                cells.is_missing_one = true;
            }
            [one] => {
                taken.insert(one);
                cells.paths.push(Some(one.to_string()));
                report_other_path(layer, &[one], problems);
            }
            others => {
                cells.candidates.extend(others.iter().map(|path| path.to_string()));
                cells.paths.push(None);
                report_other_path(layer, others, problems);
            }
        }
    }
    cells
}

/// Returns the paths of a model, each with the names of the parameters there.
fn cells(parameters: &[Parameter]) -> Vec<(&str, BTreeSet<&str>)> {
    let mut cells: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for parameter in parameters {
        let (path, name) = split_path(&parameter.path);
        match cells.iter_mut().find(|(other, _)| *other == path) {
            Some((_, names)) => {
                names.insert(name);
            }
            None => cells.push((path, BTreeSet::from([name]))),
        }
    }
    cells
}

/// Returns the names of the parameters of a layer, omitted ones included.
fn parameters_of<'m>(mapping: &'m Mapping, layer: &MappedLayer) -> BTreeSet<&'m str> {
    let own = mapping.tensors[layer.tensors.clone()].iter().chain(&mapping.omitted);
    let parts = own.flat_map(Tensor::parts).map(|part| split_path(&part.parameter));
    parts.filter(|(path, _)| *path == layer.path).map(|(_, name)| name).collect()
}

/// Returns the part of `path` before `.end`.
fn beginning<'p>(path: &'p str, end: &str) -> Option<&'p str> {
    path.strip_suffix(end)?.strip_suffix('.')
}

/// Reports that the model has another cell at the layer's path. Layers with the same mistake share
/// a problem.
fn report_wrong_cell(
    layer: &MappedLayer,
    wanted: &BTreeSet<&str>,
    names: &BTreeSet<&str>,
    problems: &mut Vec<Problem>,
) {
    let kind = layer.kind;
    let known = known_layers::kinds(names);
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

/// Reports that the layer's cell is at one of the paths `others`. Layers that lack the same
/// beginning of their paths share a problem.
fn report_other_path(layer: &MappedLayer, others: &[&str], problems: &mut Vec<Problem>) {
    let before = match others {
        [one] => beginning(one, &layer.path).map(ToString::to_string),
        _ => None,
    };
    let paths = others.iter().map(|path| path.to_string());
    for problem in &mut *problems {
        if let Problem::OtherPath { mapping, under, at, before: other, .. } = problem
            && *mapping == layer.kind.mapping
            && other.is_some()
            && *other == before
        {
            under.push(layer.path.clone());
            at.extend(paths);
            return;
        }
    }
    problems.push(Problem::OtherPath {
        mapping: layer.kind.mapping,
        cell: layer.kind.cell,
        under: Vec::from([layer.path.clone()]),
        at: paths.collect(),
        before,
    });
}
