//! Reports of files with other sizes than the cell. They name the sizes, not the shapes that follow
//! from them.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::error::Problem;
use super::super::mapping::{MappedLayer, Mapping};
use super::names::Matches;
use super::resolve::ResolvedTensor;

/// The number of outputs, which is the hidden size of a recurrent layer, and the number of inputs.
type Sizes = (usize, usize);

/// A layer whose tensors in the file all have the shapes of a layer of other sizes.
struct Resized<'m, 'r> {
    layer: &'m MappedLayer,
    tensors: Vec<&'r ResolvedTensor<'m>>,
    file: Sizes,
    cell: Sizes,
}

/// Reports the layers of ready mappings that have other sizes in the file. Returns the indices of
/// the tensors whose shapes the report contains.
pub(super) fn report(
    mapping: &Mapping,
    resolved: &[ResolvedTensor],
    matches: &Matches,
    problems: &mut Vec<Problem>,
) -> BTreeSet<usize> {
    let mut layers = Vec::new();
    for layer in &mapping.layers {
        let own = resolved.iter().filter(|tensor| layer.tensors.contains(&tensor.index));
        let tensors: Vec<&ResolvedTensor> = own.collect();
        if let Some((file, cell)) = sizes(layer, &tensors, matches)
            && file != cell
        {
            layers.push(Resized { layer, tensors, file, cell });
        }
    }
    if layers.is_empty() {
        return BTreeSet::new();
    }
    let cells: Vec<String> = layers
        .iter()
        .map(|Resized { layer, file: (outputs, inputs), .. }| {
            format!("{}<{inputs}, {outputs}>", layer.kind.cell)
        })
        .collect();
    let mut shapes = Vec::new();
    let mut reported = BTreeSet::new();
    for resolved in layers.iter().flat_map(|layer| &layer.tensors) {
        let Some(tensor) = matches.tensor(resolved.index) else { continue };
        let cell = resolved.shape();
        if tensor.shape != cell {
            shapes.push((tensor.name.clone(), tensor.shape.clone(), cell));
            reported.insert(resolved.index);
        }
    }
    problems.push(Problem::Sizes { differ: differences(&layers), cells, shapes });
    reported
}

/// Returns the sizes that differ, each by its name with the size in the file and in the cell.
/// Leaves out the inputs of a layer that follow from the outputs of another.
fn differences(layers: &[Resized]) -> Vec<(&'static str, usize, usize)> {
    let mut differ: Vec<(&'static str, usize, usize)> = Vec::new();
    for Resized { layer, file, cell, .. } in layers {
        let name = if layer.kind.is_recurrent { "hidden" } else { "output" };
        if file.0 != cell.0 && !differ.contains(&(name, file.0, cell.0)) {
            differ.push((name, file.0, cell.0));
        }
    }
    let hidden: Vec<_> = differ.iter().filter(|(name, ..)| *name == "hidden").copied().collect();
    for Resized { file, cell, .. } in layers {
        // The input is the output of one direction or of both.
        let follows =
            hidden.iter().any(|(_, f, c)| [1, 2].iter().any(|k| (k * f, k * c) == (file.1, cell.1)));
        if file.1 != cell.1 && !follows && !differ.contains(&("input", file.1, cell.1)) {
            differ.push(("input", file.1, cell.1));
        }
    }
    differ
}

/// Returns the sizes of a layer in the file and in the cell, if all shapes in the file agree on
/// them.
fn sizes(layer: &MappedLayer, tensors: &[&ResolvedTensor], matches: &Matches) -> Option<(Sizes, Sizes)> {
    let input = tensors.first().filter(|tensor| tensor.index == layer.tensors.start)?;
    let in_file = |resolved: &ResolvedTensor| {
        let tensor = matches.tensor(resolved.index)?;
        match (resolved.tensor.transposed, tensor.shape.as_slice()) {
            (false, &[rows, columns]) | (true, &[columns, rows]) => Some((rows, columns)),
            _ => None,
        }
    };
    let (rows, inputs) = in_file(input)?;
    let (file, cell) = if layer.kind.is_recurrent {
        let hidden = tensors.get(1).filter(|tensor| tensor.index == layer.tensors.start + 1)?;
        ((in_file(hidden)?.1, inputs), (hidden.size.1, input.size.1))
    } else {
        ((rows, inputs), input.size)
    };
    let agree = tensors.iter().all(|resolved| {
        let columns = match resolved.index - layer.tensors.start {
            0 => file.1,
            1 if layer.kind.is_recurrent => file.0,
            _ => resolved.size.1,
        };
        // One block of rows per gate, as many as in the cell.
        let gates = resolved.size.0.checked_div(cell.0);
        let rows = gates.and_then(|gates| gates.checked_mul(file.0));
        let wanted = rows.map(|rows| resolved.shape_of((rows, columns)));
        matches.tensor(resolved.index).is_none_or(|tensor| Some(&tensor.shape) == wanted.as_ref())
    });
    agree.then_some((file, cell))
}
