//! Parameters that a mapping leaves out, told cell by cell, with the ready mapping that would give them.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::Problem;
use super::found::Found;
use super::mapping::Mapping;
use super::plan::{Held, lay};
use super::ready::{Kind, layers_of, split};

/// Tensors of a file and their shapes.
type Holds = Vec<(String, Vec<usize>)>;

/// Tells of the parameters `left`, by their places in `held`. The tensors of the file that a ready mapping would read them from
/// count as told of.
pub(super) fn tell(
    mapping: &Mapping,
    held: &[Held],
    left: &[usize],
    mut found: Option<&mut Found>,
    problems: &mut Vec<Problem>,
) {
    let mut paths: Vec<&str> = Vec::new();
    for &place in left {
        let path = split(&held[place].path).0;
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    for path in paths {
        let parameters: Vec<&str> = left
            .iter()
            .map(|&place| held[place].path.as_str())
            .filter(|name| split(name).0 == path)
            .collect();
        let names: BTreeSet<&str> = parameters.iter().map(|name| split(name).1).collect();
        let layers = layers_of(mapping, &names);
        let file = found.as_deref_mut().and_then(|found| {
            let mut file =
                layers.iter().filter_map(|layer| Some((layer, in_file(layer, path, held, found)?)));
            file.next()
        });
        let (add, holds) = match (file, layers.first()) {
            (Some((layer, (prefix, holds))), _) => (Some(call(layer.layers[0].kind, &prefix, path)), holds),
            (None, layer) => (layer.map(|layer| call(layer.layers[0].kind, "..", path)), Vec::new()),
        };
        let parameters = parameters.into_iter().map(ToString::to_string).collect();
        problems.push(Problem::NotMapped { parameters, add, holds });
    }
}

/// What is to be written for a layer.
fn call(kind: &Kind, prefix: &str, path: &str) -> String {
    let layer = match (kind.numbered, prefix) {
        (false, _) => "",
        (true, "..") => ".., Direction::Forward",
        (true, _) => "0, Direction::Forward",
    };
    let mut call = format!("{}({layer})", kind.mapping);
    if !prefix.is_empty() {
        call += &format!(".prefix({:?})", super::error::Name(prefix));
    }
    if !path.is_empty() {
        call += &format!(".under({})", super::error::Path(path));
    }
    call
}

/// The prefix under which the file has all tensors of a layer in the shapes of the cell at `path`, and these tensors.
fn in_file(layer: &Mapping, path: &str, held: &[Held], found: &mut Found) -> Option<(String, Holds)> {
    let tensors = layer.tensors.iter().map(|tensor| lay(tensor, 0, Some(path), held, &mut Vec::new()));
    let tensors: Vec<_> = tensors
        .map(|laid| laid.map(|laid| (laid.tensor.name.as_str(), laid.shape())))
        .collect::<Option<_>>()?;
    let (first, shape) = tensors.first()?;
    let candidates = found.free.iter().filter(|&&place| found.file[place].shape == *shape);
    let prefixes = candidates.filter_map(|&place| found.file[place].name.strip_suffix(first));
    let all = |prefix: &str| {
        let places = tensors.iter().map(|(name, shape)| {
            let place = found.place(&format!("{prefix}{name}"))?;
            (found.free.contains(&place) && found.file[place].shape == *shape).then_some(place)
        });
        places.collect::<Option<Vec<usize>>>().map(|places| (prefix.to_string(), places))
    };
    let (prefix, places) = prefixes.filter_map(all).next()?;
    for place in &places {
        found.free.remove(place);
    }
    let told = places.iter().map(|&place| (found.file[place].name.clone(), found.file[place].shape.clone()));
    Some((prefix, told.collect()))
}
