//! Reports of parameters that a mapping leaves out: one for each cell, with the ready mapping that
//! contains them.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::error::{Name, Path, Problem};
use super::super::mapping::{LayerKind, Mapping};
use super::super::parameters::{Parameter, split_path};
use super::known_layers;
use super::names::Matches;
use super::resolve::resolve_tensor;

/// Names and shapes of tensors of a file.
type Shapes = Vec<(String, Vec<usize>)>;

/// Reports the parameters at the indices `unmapped`. If a ready mapping would read them from
/// tensors of the file, these count as mentioned.
pub(super) fn report(
    mapping: &Mapping,
    parameters: &[Parameter],
    unmapped: &[usize],
    mut matches: Option<&mut Matches>,
    problems: &mut Vec<Problem>,
) {
    let mut cells: Vec<(&str, Vec<&str>)> = Vec::new();
    for &index in unmapped {
        let (path, name) = split_path(&parameters[index].path);
        match cells.iter_mut().find(|(other, _)| *other == path) {
            Some((_, names)) => names.push(name),
            None => cells.push((path, Vec::from([name]))),
        }
    }
    for (path, names) in cells {
        let layers = known_layers::mappings(mapping, &names.iter().copied().collect::<BTreeSet<_>>());
        let found = matches.as_deref_mut().and_then(|matches| {
            let mut found = layers
                .iter()
                .filter_map(|layer| Some((layer, find_in_file(layer, path, parameters, matches)?)));
            found.next()
        });
        let (add, holds) = match (found, layers.first()) {
            (Some((layer, (prefix, holds))), _) => (Some(call(layer.layers[0].kind, &prefix, path)), holds),
            (None, layer) => (layer.map(|layer| call(layer.layers[0].kind, "..", path)), Vec::new()),
        };
        let full_name = |name| if path.is_empty() { String::from(name) } else { format!("{path}.{name}") };
        let parameters = names.into_iter().map(full_name).collect();
        problems.push(Problem::NotMapped { parameters, add, holds });
    }
}

/// Returns the code that creates the mapping of a layer. The prefix `..` stands for an unknown one.
fn call(kind: &LayerKind, prefix: &str, path: &str) -> String {
    let mut call = format!("{}()", kind.mapping);
    if !prefix.is_empty() {
        call += &format!(".prefix({:?})", Name(prefix));
    }
    if !path.is_empty() {
        call += &format!(".under({})", Path(path));
    }
    call
}

/// Returns the prefix under which the file has all tensors of a layer, in the shapes of the cell at
/// `path`, and these tensors.
fn find_in_file(
    layer: &Mapping,
    path: &str,
    parameters: &[Parameter],
    matches: &mut Matches,
) -> Option<(String, Shapes)> {
    let resolved =
        layer.tensors.iter().map(|tensor| resolve_tensor(tensor, 0, Some(path), parameters, &mut Vec::new()));
    let tensors: Vec<_> = resolved
        .map(|resolved| resolved.map(|resolved| (resolved.tensor.name.as_str(), resolved.shape())))
        .collect::<Option<_>>()?;
    let (first, shape) = tensors.first()?;
    let fitting = matches.unmatched.iter().filter(|&&index| matches.file[index].shape == *shape);
    let prefixes = fitting.filter_map(|&index| matches.file[index].name.strip_suffix(first));
    let find_all = |prefix: &str| {
        let indices = tensors.iter().map(|(name, shape)| {
            let index = matches.index(&format!("{prefix}{name}"))?;
            (matches.unmatched.contains(&index) && matches.file[index].shape == *shape).then_some(index)
        });
        indices.collect::<Option<Vec<usize>>>().map(|indices| (prefix.to_string(), indices))
    };
    let (prefix, indices) = prefixes.filter_map(find_all).next()?;
    for index in &indices {
        matches.unmatched.remove(index);
    }
    let tensors = indices.into_iter().map(|index| &matches.file[index]);
    Some((prefix, tensors.map(|tensor| (tensor.name.clone(), tensor.shape.clone())).collect()))
}
