//! Files of other sizes than the cell's: the sizes, rather than the shapes that follow from them alone.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::Problem;
use super::found::Found;
use super::mapping::Mapping;
use super::plan::Laid;
use super::ready::Ready;

/// Outputs, or the hidden size, and inputs.
type Sizes = (usize, usize);

/// Tells of the layers of ready mappings whose shapes in the file are all those of a layer of other sizes. The places of the tensors
/// whose shapes are told.
pub(super) fn tell(
    mapping: &Mapping,
    laid: &[Laid],
    found: &Found,
    problems: &mut Vec<Problem>,
) -> BTreeSet<usize> {
    let mut layers = Vec::new();
    for layer in &mapping.layers {
        let own: Vec<&Laid> = laid.iter().filter(|laid| layer.tensors.contains(&laid.place)).collect();
        if let Some((file, cell)) = sizes(layer, &own, found)
            && file != cell
        {
            layers.push((layer, own, file, cell));
        }
    }
    if layers.is_empty() {
        return BTreeSet::new();
    }
    let mut differ: Vec<(&'static str, usize, usize)> = Vec::new();
    for (layer, _, file, cell) in &layers {
        let name = if layer.kind.recurrent { "hidden" } else { "output" };
        if file.0 != cell.0 && !differ.contains(&(name, file.0, cell.0)) {
            differ.push((name, file.0, cell.0));
        }
    }
    let hidden: Vec<_> = differ.iter().filter(|(name, ..)| *name == "hidden").copied().collect();
    for (_, _, file, cell) in &layers {
        // What a layer's input has from another layer's output, one direction's or both's.
        let follows =
            hidden.iter().any(|(_, f, c)| [1, 2].iter().any(|k| (k * f, k * c) == (file.1, cell.1)));
        if file.1 != cell.1 && !follows && !differ.contains(&("input", file.1, cell.1)) {
            differ.push(("input", file.1, cell.1));
        }
    }
    let cells = layers
        .iter()
        .map(|(layer, _, (outputs, inputs), _)| format!("{}<{inputs}, {outputs}>", layer.kind.cell));
    let cells: Vec<String> = cells.collect();
    let mut shapes = Vec::new();
    let mut told = BTreeSet::new();
    for laid in layers.iter().flat_map(|(_, own, ..)| own) {
        let Some(place) = found.places[laid.place] else { continue };
        let (read, cell) = (&found.file[place], laid.shape());
        if read.shape != cell {
            shapes.push((read.name.clone(), read.shape.clone(), cell));
            told.insert(laid.place);
        }
    }
    problems.push(Problem::Sizes { differ, cells, shapes });
    told
}

/// The sizes of a layer in the file and in the cell, if all shapes of the file agree in them.
fn sizes(layer: &Ready, own: &[&Laid], found: &Found) -> Option<(Sizes, Sizes)> {
    let input = own.first().filter(|laid| laid.place == layer.tensors.start)?;
    let columns = |laid: &Laid| {
        let read = &found.file[found.places[laid.place]?];
        match (laid.tensor.transposed, read.shape.as_slice()) {
            (false, &[rows, columns]) | (true, &[columns, rows]) => Some((rows, columns)),
            _ => None,
        }
    };
    let (rows, inputs) = columns(input)?;
    let (file, cell) = if layer.kind.recurrent {
        let hidden = own.get(1).filter(|laid| laid.place == layer.tensors.start + 1)?;
        ((columns(hidden)?.1, inputs), (hidden.size.1, input.size.1))
    } else {
        ((rows, inputs), input.size)
    };
    let agree = own.iter().all(|laid| {
        let columns = match laid.place - layer.tensors.start {
            0 => file.1,
            1 if layer.kind.recurrent => file.0,
            _ => laid.size.1,
        };
        // As many blocks of rows, a gate each, as the cell has.
        let size = laid
            .size
            .0
            .checked_div(cell.0)
            .and_then(|gates| gates.checked_mul(file.0))
            .map(|rows| (rows, columns));
        found.places[laid.place].is_none_or(|place| {
            Some(&found.file[place].shape) == size.map(|size| laid.shape_of(size)).as_ref()
        })
    });
    agree.then_some((file, cell))
}
