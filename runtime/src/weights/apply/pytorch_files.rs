//! Recognition of PyTorch's layers in a file that was loaded by the names of this library.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use super::super::error::{Name, Problem};
use super::super::tensor::FileTensor;
use super::pytorch_layers::Position;

/// The tensors of a file under one prefix.
#[derive(Debug, Default)]
struct Group {
    /// The number of gates of a recurrent layer.
    gates: Option<usize>,
    num_layers: u16,
    is_bidirectional: bool,
    has_bias: bool,
    is_linear: bool,
}

/// Returns the problem that a file holds PyTorch's layers, with the mappings that read them.
/// Returns `None` if it has none.
pub(in super::super) fn recognise(file: &[FileTensor]) -> Option<Problem> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for tensor in file {
        let base = tensor.name.rfind('.').map_or(0, |dot| dot + 1);
        let (prefix, name) = tensor.name.split_at(base);
        let group = groups.entry(prefix).or_default();
        group.has_bias |= name.starts_with("bias");
        group.is_linear |= name == "weight" && tensor.shape.len() == 2;
        if let Some(position) = Position::parse(name) {
            group.num_layers = group.num_layers.max(position.layer.saturating_add(1));
            group.is_bidirectional |= position.is_reverse;
            if let ("weight_hh_l0", &[rows, columns]) = (name, &tensor.shape[..]) {
                group.gates = rows.checked_div(columns).filter(|gates| gates * columns == rows);
            }
        }
    }
    let (layers, mappings) = groups.iter().filter_map(|(prefix, group)| group.describe(prefix)).unzip();
    let problem = Problem::PyTorch { layers, mappings };
    matches!(&problem, Problem::PyTorch { layers, .. } if !layers.is_empty()).then_some(problem)
}

impl Group {
    /// Returns the layer and its mapping.
    fn describe(&self, prefix: &str) -> Option<(String, String)> {
        let (layer, function) = match self.gates {
            Some(4) => ("LSTM", "lstm"),
            Some(3) => ("GRU", "gru"),
            Some(1) => ("RNN", "rnn"),
            None if self.is_linear && self.num_layers == 0 => ("Linear", "linear"),
            _ => return None,
        };
        let mut mapping = format!("torch::{function}()");
        match (self.is_bidirectional, self.num_layers) {
            (true, count) => mapping = format!("torch::bidirectional({mapping}, {count})"),
            (false, 2..) => mapping = format!("torch::layers({mapping}, {})", self.num_layers),
            _ => {}
        }
        if !self.has_bias {
            mapping += ".without_bias()";
        }
        if !prefix.is_empty() {
            mapping += &format!(".prefix({:?})", Name(prefix));
        }
        Some((layer.into(), mapping))
    }
}
