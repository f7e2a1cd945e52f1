//! The layers of other programs that have ready mappings, found by the parameters of a cell.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::super::mapping::{LayerKind, Mapping, Tensor};
use super::super::{keras, torch};

/// Returns the ready mapping of every known layer.
fn all() -> [Mapping; 9] {
    [
        torch::lstm(),
        torch::gru(),
        torch::rnn(),
        torch::linear(),
        keras::lstm(),
        keras::gru(),
        keras::gru_reset_before(),
        keras::simple_rnn(),
        keras::dense(),
    ]
}

/// Returns the mappings of the layers whose cell has exactly these parameters.
fn with_parameters(parameters: &BTreeSet<&str>) -> impl Iterator<Item = Mapping> {
    all().into_iter().filter(|mapping| names(mapping) == *parameters)
}

/// Returns the names of the parameters in a mapping of one layer.
fn names(mapping: &Mapping) -> BTreeSet<&str> {
    let parts = mapping.tensors.iter().flat_map(Tensor::parts);
    parts.map(|part| part.parameter.as_str()).collect()
}

/// Returns the layers whose cell has exactly these parameters.
pub(super) fn kinds(parameters: &BTreeSet<&str>) -> Vec<&'static LayerKind> {
    with_parameters(parameters).map(|mapping| mapping.layers[0].kind).collect()
}

/// Returns the mappings of the layers whose cell has exactly these parameters. Only considers the
/// programs whose layers `mapping` contains.
pub(super) fn mappings(mapping: &Mapping, parameters: &BTreeSet<&str>) -> Vec<Mapping> {
    let programs: BTreeSet<_> = mapping.layers.iter().map(|layer| layer.kind.program()).collect();
    let known = with_parameters(parameters);
    known.filter(|known| programs.contains(known.layers[0].kind.program())).collect()
}

/// Returns the name of the cell with these parameters, if another program has a layer for it.
pub(super) fn cell(parameters: &BTreeSet<&str>) -> Option<&'static str> {
    kinds(parameters).first().map(|kind| kind.cell)
}
