//! Reports of PyTorch layers of which a mapping reads only a part. Without them, the other layers,
//! the other direction or a projection would be lost.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::error::Problem;
use super::super::mapping::Mapping;
use super::names::Matches;

/// Reports the tensors that the mapping doesn't read, once for all layers under a prefix.
pub(super) fn report(mapping: &Mapping, matches: &mut Matches, problems: &mut Vec<Problem>) {
    let mut prefixes: Vec<String> = Vec::new();
    for layer in mapping.layers.iter().filter(|layer| layer.kind.is_numbered()) {
        let first = layer.tensors.start;
        let Some(tensor) = matches.tensor(first) else { continue };
        let Some(prefix) = tensor.name.strip_suffix(mapping.tensors[first].base()) else { continue };
        if prefixes.iter().any(|other| other == prefix) {
            continue;
        }
        prefixes.push(prefix.into());
        let position = |index: usize| matches.file[index].name.strip_prefix(prefix).and_then(Position::parse);
        let unread: Vec<usize> =
            matches.unmatched.iter().copied().filter(|&index| position(index).is_some()).collect();
        if unread.is_empty() {
            continue;
        }
        let all: Vec<Position> = (0..matches.file.len()).filter_map(position).collect();
        let count = 1 + all.iter().map(|position| usize::from(position.layer)).max().unwrap_or_default();
        let function =
            if all.iter().any(|position| position.is_reverse) { "bidirectional" } else { "layers" };
        let has_projection = all.iter().any(|position| position.is_projection);
        problems.push(Problem::LayerInPart {
            layer: layer.kind.layer,
            tensors: unread.iter().map(|&index| matches.file[index].name.clone()).collect(),
            mapping: (!has_projection)
                .then(|| format!("torch::{function}({}(), {count})", layer.kind.mapping)),
        });
        matches.unmatched.retain(|index| !unread.contains(index));
    }
}

/// The position of a tensor in a PyTorch layer.
pub(super) struct Position {
    pub(super) layer: u16,
    pub(super) is_reverse: bool,
    is_projection: bool,
}

impl Position {
    /// Parses a name such as `weight_ih_l0_reverse`.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (kind, rest) = name.rsplit_once("_l")?;
        let is_known = ["weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"].contains(&kind);
        let number = rest.strip_suffix("_reverse");
        let layer = number.unwrap_or(rest).parse().ok().filter(|_| is_known)?;
        Some(Position { layer, is_reverse: number.is_some(), is_projection: kind == "weight_hr" })
    }
}
