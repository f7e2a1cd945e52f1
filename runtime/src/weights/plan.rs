//! A mapping laid over a model: which entries of which tensor are which entries of which parameter.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Problem, nearest};
use super::mapping::{Mapping, Part, Rank, Span, Tensor};
use super::ready::{Places, places, split};
use crate::cell::{BlockShape, Model};

/// A parameter or a buffer of a model.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) path: String,
    pub(super) whole: (usize, usize),
    /// Entries in its blocks; more than `whole` has where two parameters share a name.
    entries: usize,
}

/// The parameters and buffers of a model, in its order.
pub(super) fn held<M: Model>(model: &M) -> Vec<Held> {
    let mut held: Vec<Held> = Vec::new();
    let mut places = BTreeMap::new();
    let mut add = |name: &str, shape: BlockShape| {
        let place = *places.entry(name.to_string()).or_insert_with(|| {
            held.push(Held { path: name.to_string(), whole: shape.whole, entries: 0 });
            held.len() - 1
        });
        held[place].entries += shape.size.0 * shape.size.1;
    };
    model.visit(&mut |parameter| add(parameter.name, parameter.shape));
    model.visit_buffers(&mut |buffer| add(buffer.name, buffer.shape));
    held
}

/// The region of a parameter that a part of a tensor is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// The parameter, by its place among the model's.
    pub(super) parameter: usize,
    /// The region's first row and column in the parameter.
    pub(super) from: (usize, usize),
    pub(super) size: (usize, usize),
    /// Where it stands in the tensor, before that is transposed.
    pub(super) at: (usize, usize),
    pub(super) plus: bool,
    pub(super) negated: bool,
}

/// A tensor laid out.
#[derive(Debug)]
pub(super) struct Laid<'m> {
    pub(super) tensor: &'m Tensor,
    /// Its place in the mapping.
    pub(super) place: usize,
    /// Rows and columns, before it is transposed.
    pub(super) size: (usize, usize),
    pub(super) pieces: Vec<Piece>,
}

impl Laid<'_> {
    /// The tensor's shape in the file.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.shape_of(self.size)
    }

    /// The shape that it would have in the file if it were of this size.
    pub(super) fn shape_of(&self, (rows, columns): (usize, usize)) -> Vec<usize> {
        match self.tensor.rank {
            Rank::Scalar => Vec::new(),
            Rank::Vector => Vec::from([rows * columns]),
            Rank::Matrix if self.tensor.transposed => Vec::from([columns, rows]),
            Rank::Matrix => Vec::from([rows, columns]),
        }
    }

    /// The number of entries.
    #[cfg(any(feature = "safetensors", feature = "nam"))]
    pub(super) fn len(&self) -> usize {
        self.size.0 * self.size.1
    }

    /// Calls `f` with the place of every entry of a piece: in the file's tensor, and in the parameter, column by column.
    pub(super) fn each(&self, piece: &Piece, held: &[Held], f: &mut dyn FnMut(usize, usize)) {
        let height = held[piece.parameter].whole.0;
        // A file holds rows: one of its rows is a column of a matrix that it holds transposed.
        let (by_row, by_column) = if self.tensor.transposed { (1, self.size.0) } else { (self.size.1, 1) };
        for column in 0..piece.size.1 {
            for row in 0..piece.size.0 {
                let tensor = (piece.at.0 + row) * by_row + (piece.at.1 + column) * by_column;
                f(tensor, piece.from.0 + row + (piece.from.1 + column) * height);
            }
        }
    }
}

/// A mapping laid over a model.
#[derive(Debug)]
pub(super) struct Plan<'m> {
    pub(super) laid: Vec<Laid<'m>>,
    /// The parameters that it leaves out, by their places among the model's.
    pub(super) left: Vec<usize>,
    /// Those that no tensor holds, being zero.
    #[cfg(any(feature = "safetensors", feature = "nam"))]
    pub(super) zero: Vec<usize>,
}

/// Lays every tensor of `mapping` out. What is wrong goes to `problems`, but for the parameters left out; no [`Laid`] is made
/// of a tensor that doesn't fit.
pub(super) fn plan<'m>(mapping: &'m Mapping, held: &[Held], problems: &mut Vec<Problem>) -> Plan<'m> {
    let clashes = held.iter().filter(|parameter| parameter.entries != parameter.whole.0 * parameter.whole.1);
    problems.extend(clashes.map(|parameter| Problem::SharedName { parameter: parameter.path.clone() }));

    let places = places(mapping, held, problems);
    let mut names = BTreeSet::new();
    let mut laid = Vec::new();
    let mut sound = !places.lost;
    for (place, tensor) in mapping.tensors.iter().enumerate() {
        if !names.insert(&tensor.name) {
            problems.push(Problem::TensorTwice { tensor: tensor.name.clone() });
            sound = false;
            continue;
        }
        let path = match mapping.layers.iter().position(|layer| layer.tensors.contains(&place)) {
            None => None,
            Some(layer) => match &places.paths[layer] {
                None => continue,
                path => path.as_deref(),
            },
        };
        let before = problems.len();
        if let Some(tensor) = lay(tensor, place, path, held, problems) {
            laid.push(tensor);
        }
        sound &= problems.len() == before;
    }
    let zero = zero(mapping, &places, held);
    // With a part missing, what it would have covered is no mistake of its own.
    let mut left = if sound { check_cover(&laid, &zero, held, problems) } else { Vec::new() };
    left.retain(|&place| !places.meant.contains(split(&held[place].path).0));
    Plan {
        laid,
        left,
        #[cfg(any(feature = "safetensors", feature = "nam"))]
        zero,
    }
}

/// The parameters of tensors that the file doesn't have.
fn zero(mapping: &Mapping, places: &Places, held: &[Held]) -> Vec<usize> {
    let parts = mapping.omitted.iter().flat_map(|tensor| tensor.stacks.iter().flatten());
    let paths = parts.filter_map(|part| {
        let layer = mapping.layers.iter().position(|layer| layer.path == split(&part.parameter).0);
        let path = match layer {
            Some(layer) => Some(places.paths[layer].as_deref()?),
            None => None,
        };
        held.iter().position(|held| held.path == part.at(path))
    });
    paths.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Lays a tensor out, its parameters at `path` if that isn't the one that the mapping says.
pub(super) fn lay<'m>(
    tensor: &'m Tensor,
    place: usize,
    path: Option<&str>,
    held: &[Held],
    problems: &mut Vec<Problem>,
) -> Option<Laid<'m>> {
    let mut pieces = Vec::new();
    let mut known = true;
    let mut heights = Vec::new();
    let mut left = 0;
    for stack in &tensor.stacks {
        let (mut top, mut width) = (0, None);
        for part in stack {
            let Some(piece) = piece(tensor, part, path, held, problems) else {
                known = false;
                continue;
            };
            if *width.get_or_insert(piece.size.1) != piece.size.1 {
                let sizes = widths(stack, path, held);
                problems.push(Problem::Uneven { tensor: tensor.name.clone(), stacks: false, sizes });
                return None;
            }
            pieces.push(Piece { at: (top, left), ..piece });
            top += piece.size.0;
        }
        heights.push(top);
        left += width.unwrap_or(0);
    }
    if !known {
        return None;
    }
    let rows = heights.first().copied().unwrap_or(0);
    if heights.iter().any(|&height| height != rows) {
        problems.push(Problem::Uneven { tensor: tensor.name.clone(), stacks: true, sizes: heights });
        return None;
    }
    let size = (rows, left);
    let fits = match tensor.rank {
        Rank::Scalar => size == (1, 1),
        Rank::Vector => (rows == 1 || left == 1) && rows * left > 0,
        Rank::Matrix => rows * left > 0,
    };
    if !fits {
        let rank = match tensor.rank {
            Rank::Scalar => "scalar",
            Rank::Vector => "vector",
            Rank::Matrix => "matrix",
        };
        problems.push(Problem::Rank { tensor: tensor.name.clone(), rank, size });
        return None;
    }
    Some(Laid { tensor, place, size, pieces })
}

/// The widths of the parts of a stack that exist.
fn widths(stack: &[Part], path: Option<&str>, held: &[Held]) -> Vec<usize> {
    let widths = stack.iter().filter_map(|part| {
        let parameter = held.iter().find(|parameter| parameter.path == part.at(path))?;
        bound(part.columns, parameter.whole.1).map(|(_, width)| width)
    });
    widths.collect()
}

/// The region of its parameter that `part` is, at no place yet.
fn piece(
    tensor: &Tensor,
    part: &Part,
    path: Option<&str>,
    held: &[Held],
    problems: &mut Vec<Problem>,
) -> Option<Piece> {
    let Some(parameter) = held.iter().position(|parameter| parameter.path == part.at(path)) else {
        problems.push(Problem::NoParameter {
            parameter: part.parameter.clone(),
            tensor: tensor.name.clone(),
            nearest: nearest(&part.parameter, held.iter().map(|held| held.path.as_str())),
        });
        return None;
    };
    let whole = held[parameter].whole;
    let Some((rows, columns)) = bound(part.rows, whole.0).zip(bound(part.columns, whole.1)) else {
        problems.push(Problem::Outside {
            parameter: part.parameter.clone(),
            tensor: tensor.name.clone(),
            rows: part.rows,
            columns: part.columns,
            size: whole,
        });
        return None;
    };
    let (plus, negated) = (part.plus, part.negated);
    Some(Piece { parameter, from: (rows.0, columns.0), size: (rows.1, columns.1), at: (0, 0), plus, negated })
}

/// Start and length of a span, if it lies within `size` and isn't empty.
fn bound((start, end): Span, size: usize) -> Option<(usize, usize)> {
    let end = end.unwrap_or(size);
    (start < end && end <= size).then(|| (start, end - start))
}

/// Every entry of every parameter must come from one tensor, [`plus`](super::plus) terms apart, or be zero. The parameters
/// that come from none.
fn check_cover(laid: &[Laid], zero: &[usize], held: &[Held], problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut left = Vec::new();
    for (place, parameter) in held.iter().enumerate() {
        let mut covered = 0;
        let mut regions: Vec<(&Laid, &Piece)> = Vec::new();
        for tensor in laid {
            for piece in tensor.pieces.iter().filter(|piece| piece.parameter == place && !piece.plus) {
                if let Some((first, _)) = regions.iter().find(|(_, other)| overlap(piece, other)) {
                    problems.push(Problem::ParameterTwice {
                        parameter: parameter.path.clone(),
                        tensors: [first, tensor].map(|laid| laid.tensor.name.clone()),
                    });
                }
                covered += piece.size.0 * piece.size.1;
                regions.push((tensor, piece));
            }
        }
        let entries = parameter.whole.0 * parameter.whole.1;
        if covered == 0 && entries > 0 && !zero.contains(&place) {
            left.push(place);
        } else if covered > 0 && covered < entries {
            let parameter = parameter.path.clone();
            problems.push(Problem::MappedInPart { parameter, covered, entries });
        }
    }
    left
}

fn overlap(a: &Piece, b: &Piece) -> bool {
    let meet = |a: usize, length: usize, b: usize, other: usize| a < b + other && b < a + length;
    meet(a.from.0, a.size.0, b.from.0, b.size.0) && meet(a.from.1, a.size.1, b.from.1, b.size.1)
}
