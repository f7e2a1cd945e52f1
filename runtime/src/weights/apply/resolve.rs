//! Resolution of a mapping against a model: the entries of parameters that the entries of each
//! tensor hold.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::super::error::{Problem, nearest};
use super::super::mapping::{Mapping, Part, Rank, Span, Tensor};
use super::super::parameters::{Parameter, split_path};
use super::cells::{Cells, find_cells};

/// The region of a parameter that a part of a tensor holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    /// The index of the parameter in the model.
    pub(super) parameter: usize,
    /// The first row and column in the parameter.
    pub(super) from: (usize, usize),
    /// Rows and columns.
    pub(super) size: (usize, usize),
    /// The first row and column in the tensor, before that is transposed.
    pub(super) at: (usize, usize),
    pub(super) plus: bool,
    pub(super) negated: bool,
}

/// A tensor whose parts are known regions of parameters.
#[derive(Debug)]
pub(super) struct ResolvedTensor<'m> {
    pub(super) tensor: &'m Tensor,
    /// The index of the tensor in the mapping.
    pub(super) index: usize,
    /// Rows and columns, before the tensor is transposed.
    pub(super) size: (usize, usize),
    /// The number of heads, if the tensor holds a parameter of `heads K { .. }` and nothing else.
    heads: Option<usize>,
    pub(super) regions: Vec<Region>,
}

impl ResolvedTensor<'_> {
    /// Returns the tensor's shape in the file.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.shape_of(self.size)
    }

    /// Returns the shape that the tensor would have in the file with these rows and columns.
    pub(super) fn shape_of(&self, (rows, columns): (usize, usize)) -> Vec<usize> {
        if let Some(heads) = self.heads.filter(|&heads| heads > 0 && rows % heads == 0) {
            let of_head = match (self.tensor.rank, rows / heads * columns) {
                (Rank::Matrix, _) => Vec::from([rows / heads, columns]),
                (_, 1) => Vec::new(),
                (_, length) => Vec::from([length]),
            };
            return [Vec::from([heads]), of_head].concat();
        }
        match self.tensor.rank {
            Rank::Scalar => Vec::new(),
            Rank::Vector => Vec::from([rows * columns]),
            Rank::Matrix if self.tensor.transposed => Vec::from([columns, rows]),
            Rank::Matrix => Vec::from([rows, columns]),
        }
    }

    /// Returns the number of entries.
    #[cfg(any(feature = "safetensors", feature = "nam"))]
    pub(super) fn len(&self) -> usize {
        self.size.0 * self.size.1
    }

    /// Calls `f` with the index of each entry of a region, in the file's tensor row by row and in
    /// the parameter column by column.
    pub(super) fn each_entry(
        &self,
        region: &Region,
        parameters: &[Parameter],
        mut f: impl FnMut(usize, usize),
    ) {
        let height = parameters[region.parameter].size.0;
        // If the file holds the transposed matrix, a row of the file is a column of the matrix.
        let (by_row, by_column) = if self.tensor.transposed { (1, self.size.0) } else { (self.size.1, 1) };
        for column in 0..region.size.1 {
            for row in 0..region.size.0 {
                let tensor = (region.at.0 + row) * by_row + (region.at.1 + column) * by_column;
                f(tensor, region.from.0 + row + (region.from.1 + column) * height);
            }
        }
    }
}

/// A mapping resolved against a model.
#[derive(Debug)]
pub(super) struct Resolved<'m> {
    /// The tensors that fit the model.
    pub(super) tensors: Vec<ResolvedTensor<'m>>,
    /// The indices of the parameters that the mapping leaves out.
    pub(super) unmapped: Vec<usize>,
    /// The indices of the parameters that the mapping declares to be zero.
    #[cfg(any(feature = "safetensors", feature = "nam"))]
    pub(super) zero: Vec<usize>,
}

/// Resolves every tensor of `mapping`. Adds the mistakes to `problems`, except for unmapped
/// parameters.
pub(super) fn resolve<'m>(
    mapping: &'m Mapping,
    parameters: &[Parameter],
    problems: &mut Vec<Problem>,
) -> Resolved<'m> {
    let ambiguous = parameters.iter().filter(|parameter| parameter.is_ambiguous());
    problems.extend(ambiguous.map(|parameter| Problem::SharedName { parameter: parameter.path.clone() }));

    let cells = find_cells(mapping, parameters, problems);
    let mut names = BTreeSet::new();
    let mut tensors = Vec::new();
    let mut is_sound = !cells.is_missing_one;
    for (index, tensor) in mapping.tensors.iter().enumerate() {
        if !names.insert(&tensor.name) {
            problems.push(Problem::TensorTwice { tensor: tensor.name.clone() });
            is_sound = false;
            continue;
        }
        let path = match mapping.layers.iter().position(|layer| layer.tensors.contains(&index)) {
            None => None,
            Some(layer) => match &cells.paths[layer] {
                None => continue,
                path => path.as_deref(),
            },
        };
        let before = problems.len();
        tensors.extend(resolve_tensor(tensor, index, path, parameters, problems));
        is_sound &= problems.len() == before;
    }
    let zero = zero_parameters(mapping, &cells, parameters);
    // After another mistake, a parameter without a tensor is not reported.
    let mut unmapped = if is_sound { check_cover(&tensors, &zero, parameters, problems) } else { Vec::new() };
    unmapped.retain(|&index| !cells.candidates.contains(split_path(&parameters[index].path).0));
    Resolved {
        tensors,
        unmapped,
        #[cfg(any(feature = "safetensors", feature = "nam"))]
        zero,
    }
}

/// Returns the indices of the parameters whose tensors the mapping omits.
fn zero_parameters(mapping: &Mapping, cells: &Cells, parameters: &[Parameter]) -> Vec<usize> {
    let parts = mapping.omitted.iter().flat_map(Tensor::parts);
    let indices = parts.filter_map(|part| {
        let layer = mapping.layers.iter().position(|layer| layer.path == split_path(&part.parameter).0);
        let path = match layer {
            Some(layer) => Some(cells.paths[layer].as_deref()?),
            None => None,
        };
        find(part, path, parameters)
    });
    indices.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns the index of the parameter of `part`. Its cell is at `path`, or at the mapping's path
/// without one.
fn find(part: &Part, path: Option<&str>, parameters: &[Parameter]) -> Option<usize> {
    let wanted = part.at(path);
    parameters.iter().position(|parameter| parameter.path == wanted)
}

/// Resolves a tensor whose cell is at `path`, or at the mapping's path without one.
pub(super) fn resolve_tensor<'m>(
    tensor: &'m Tensor,
    index: usize,
    path: Option<&str>,
    parameters: &[Parameter],
    problems: &mut Vec<Problem>,
) -> Option<ResolvedTensor<'m>> {
    let mut regions = Vec::new();
    let mut is_known = true;
    let mut heights = Vec::new();
    let mut left = 0;
    for stack in &tensor.stacks {
        let (mut top, mut width) = (0, None);
        for part in stack {
            let Some(region) = resolve_part(tensor, part, path, parameters, problems) else {
                is_known = false;
                continue;
            };
            if *width.get_or_insert(region.size.1) != region.size.1 {
                let sizes = widths(stack, path, parameters);
                problems.push(Problem::Uneven { tensor: tensor.name.clone(), stacks: false, sizes });
                return None;
            }
            regions.push(Region { at: (top, left), ..region });
            top += region.size.0;
        }
        heights.push(top);
        left += width.unwrap_or(0);
    }
    if !is_known {
        return None;
    }
    let rows = heights.first().copied().unwrap_or(0);
    if heights.iter().any(|&height| height != rows) {
        problems.push(Problem::Uneven { tensor: tensor.name.clone(), stacks: true, sizes: heights });
        return None;
    }
    let size = (rows, left);
    let (rank, fits) = match tensor.rank {
        Rank::Scalar => ("scalar", size == (1, 1)),
        Rank::Vector => ("vector", (rows == 1 || left == 1) && rows * left > 0),
        Rank::Matrix => ("matrix", rows * left > 0),
    };
    if !fits {
        problems.push(Problem::Rank { tensor: tensor.name.clone(), rank, size });
        return None;
    }
    let heads = match regions[..] {
        [Region { parameter, size: own, .. }] if own == parameters[parameter].size && !tensor.transposed => {
            parameters[parameter].heads
        }
        _ => None,
    };
    Some(ResolvedTensor { tensor, index, size, heads, regions })
}

/// Returns the widths of those parts of a stack that exist.
fn widths(stack: &[Part], path: Option<&str>, parameters: &[Parameter]) -> Vec<usize> {
    let widths = stack.iter().filter_map(|part| {
        let parameter = &parameters[find(part, path, parameters)?];
        resolve_span(part.columns, parameter.size.1).map(|(_, width)| width)
    });
    widths.collect()
}

/// Returns the region of `part` in its parameter, at the tensor's first row and column.
fn resolve_part(
    tensor: &Tensor,
    part: &Part,
    path: Option<&str>,
    parameters: &[Parameter],
    problems: &mut Vec<Problem>,
) -> Option<Region> {
    let Some(parameter) = find(part, path, parameters) else {
        problems.push(Problem::NoParameter {
            parameter: part.parameter.clone(),
            tensor: tensor.name.clone(),
            nearest: nearest(&part.parameter, parameters.iter().map(|parameter| parameter.path.as_str())),
        });
        return None;
    };
    let size = parameters[parameter].size;
    let spans = resolve_span(part.rows, size.0).zip(resolve_span(part.columns, size.1));
    let Some((rows, columns)) = spans else {
        problems.push(Problem::Outside {
            parameter: part.parameter.clone(),
            tensor: tensor.name.clone(),
            rows: part.rows,
            columns: part.columns,
            size,
        });
        return None;
    };
    let (plus, negated) = (part.plus, part.negated);
    let (from, size) = ((rows.0, columns.0), (rows.1, columns.1));
    Some(Region { parameter, from, size, at: (0, 0), plus, negated })
}

/// Returns the start and the length of a span, if it lies within `size` and isn't empty.
fn resolve_span((start, end): Span, size: usize) -> Option<(usize, usize)> {
    let end = end.unwrap_or(size);
    (start < end && end <= size).then(|| (start, end - start))
}

/// Checks that every entry of every parameter is zero or comes from exactly one tensor, apart from
/// [`plus`](super::super::plus) terms. Returns the indices of the parameters that come from none.
fn check_cover(
    tensors: &[ResolvedTensor],
    zero: &[usize],
    parameters: &[Parameter],
    problems: &mut Vec<Problem>,
) -> Vec<usize> {
    let mut unmapped = Vec::new();
    for (index, parameter) in parameters.iter().enumerate() {
        let mut covered = 0;
        let mut seen: Vec<(&ResolvedTensor, &Region)> = Vec::new();
        for tensor in tensors {
            let own = |region: &&Region| region.parameter == index && !region.plus;
            for region in tensor.regions.iter().filter(own) {
                if let Some((first, _)) = seen.iter().find(|(_, other)| overlap(region, other)) {
                    problems.push(Problem::ParameterTwice {
                        parameter: parameter.path.clone(),
                        tensors: [first, tensor].map(|resolved| resolved.tensor.name.clone()),
                    });
                }
                covered += region.size.0 * region.size.1;
                seen.push((tensor, region));
            }
        }
        let entries = parameter.len();
        if covered == 0 && entries > 0 && !zero.contains(&index) {
            unmapped.push(index);
        } else if covered > 0 && covered < entries {
            let parameter = parameter.path.clone();
            problems.push(Problem::MappedInPart { parameter, covered, entries });
        }
    }
    unmapped
}

/// Returns whether two regions of a parameter have an entry in common.
fn overlap(a: &Region, b: &Region) -> bool {
    let meet = |a: usize, length: usize, b: usize, other: usize| a < b + other && b < a + length;
    meet(a.from.0, a.size.0, b.from.0, b.size.0) && meet(a.from.1, a.size.1, b.from.1, b.size.1)
}
