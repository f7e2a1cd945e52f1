//! Tensors that belong to a layer of PyTorch's beside those that a mapping reads: further layers, the other direction, a
//! projection. To leave them out would leave another network.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::Problem;
use super::found::Found;
use super::mapping::Mapping;

/// Tells of such tensors, once for all layers of a prefix.
pub(super) fn tell(mapping: &Mapping, found: &mut Found, problems: &mut Vec<Problem>) {
    let mut prefixes: Vec<String> = Vec::new();
    for layer in mapping.layers.iter().filter(|layer| layer.kind.numbered) {
        let place = layer.tensors.start;
        let tensor = &mapping.tensors[place];
        let Some(name) = found.places[place].map(|place| found.file[place].name.as_str()) else { continue };
        let Some(prefix) = name.strip_suffix(&tensor.name[tensor.prefix..]) else { continue };
        if prefixes.iter().any(|other| other == prefix) {
            continue;
        }
        prefixes.push(prefix.into());
        let of = |place: usize| found.file[place].name.strip_prefix(prefix).and_then(Place::of);
        let further: Vec<usize> = found.free.iter().copied().filter(|&place| of(place).is_some()).collect();
        if further.is_empty() {
            continue;
        }
        let all: Vec<Place> = (0..found.file.len()).filter_map(of).collect();
        let number = 1 + all.iter().map(|place| usize::from(place.layer)).max().unwrap_or_default();
        let function = if all.iter().any(|place| place.reverse) { "bidirectional" } else { "layers" };
        let projected = all.iter().any(|place| place.projection);
        problems.push(Problem::Further {
            layer: layer.kind.layer,
            tensors: further.iter().map(|&place| found.file[place].name.clone()).collect(),
            mapping: (!projected).then(|| format!("torch::{function}({}, {number})", layer.kind.mapping)),
        });
        found.free.retain(|place| !further.contains(place));
    }
}

/// What a name such as `weight_ih_l0_reverse` says.
struct Place {
    layer: u16,
    reverse: bool,
    projection: bool,
}

impl Place {
    fn of(name: &str) -> Option<Self> {
        let (kind, rest) = name.rsplit_once("_l")?;
        let known = ["weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"].contains(&kind);
        let number = rest.strip_suffix("_reverse");
        let layer = number.unwrap_or(rest).parse().ok().filter(|_| known)?;
        Some(Place { layer, reverse: number.is_some(), projection: kind == "weight_hr" })
    }
}
