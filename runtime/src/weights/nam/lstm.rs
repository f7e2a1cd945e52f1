//! Stacks of LSTMs and a head: their sizes, and the order of their weights.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

use super::super::error::{Problem, setting};
use super::super::json::{Field, Json};
use super::super::mapping::{Mapping, matrix, vector};
use super::entry::Entry;
use crate::cell::Model;

/// The sizes of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) num_layers: usize,
    pub(super) input_size: usize,
    pub(super) hidden_size: usize,
    pub(super) out_channels: usize,
}

impl Sizes {
    /// Returns the number of weights, or `usize::MAX` if it overflows.
    pub(super) fn weights(&self) -> usize {
        let [layers, input, hidden, output] =
            [self.num_layers, self.input_size, self.hidden_size, self.out_channels].map(|size| size as u128);
        // Sizes are below 2^53, so that only the last product can overflow.
        let layer = |input: u128| (4 * (input + hidden) + 6) * hidden;
        let total = (layers - 1).checked_mul(layer(hidden)).map(|rest| rest + layer(input));
        let total = total.map(|layers| layers.saturating_add((hidden + 1) * output));
        total.and_then(|total| usize::try_from(total).ok()).unwrap_or(usize::MAX)
    }

    /// Formats the sizes in a few characters.
    pub(super) fn describe(&self) -> String {
        let mut sizes = format!("{}x{}", self.num_layers, self.hidden_size);
        if (self.input_size, self.out_channels) != (1, 1) {
            let _ = write!(sizes, " from {} to {} channels", self.input_size, self.out_channels);
        }
        sizes
    }

    /// Returns the sizes of a model that is a stack of LSTMs and a head, `None` for any other.
    pub(super) fn of<M: Model>(model: &M) -> Option<Self> {
        let (last, mut sizes) = (model.depth().checked_sub(1)?, [None; 3]);
        let names = ["0.W_i".to_string(), "0.U_i".to_string(), format!("{last}.W")];
        model.visit(&mut |parameter| {
            if let Some(index) = names.iter().position(|name| name == parameter.name) {
                sizes[index] = Some(parameter.shape.whole);
            }
        });
        let [Some((_, input_size)), Some((_, hidden_size)), Some((out_channels, _))] = sizes else {
            return None;
        };
        Some(Sizes { num_layers: last, input_size, hidden_size, out_channels })
    }

    /// Reads the sizes of a file. Reports all mistakes.
    pub(super) fn read(config: &Field, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let mut size = |name: &str, default: Option<usize>| {
            let field = config.get(name);
            let size = field.value.map_or(default, Json::size).filter(|&size| size > 0);
            if size.is_none() {
                problems.push(field.refuse("it must be a whole number above 0"));
            }
            size.unwrap_or(1)
        };
        let sizes = Sizes {
            num_layers: size("num_layers", None),
            input_size: size("input_size", None),
            hidden_size: size("hidden_size", None),
            out_channels: size("out_channels", Some(1)),
        };
        let in_channels = size("in_channels", Some(sizes.input_size));
        if problems.len() > before {
            return None;
        }
        if in_channels != sizes.input_size {
            let wanted = format!("it must equal input_size, {}", sizes.input_size);
            problems.push(setting("config.in_channels", in_channels.to_string(), &wanted));
        }
        Some(sizes)
    }

    /// Returns the tensors in the order of a file.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let Sizes { num_layers, input_size, hidden_size, out_channels } = *self;
        let mut entries = Vec::new();
        let mut add = |name: String, shape: Vec<usize>| entries.push(Entry::new(name, shape));
        for layer in 0..num_layers {
            let columns = if layer == 0 { input_size } else { hidden_size } + hidden_size;
            add(format!("layers.{layer}.weight"), vec![4 * hidden_size, columns]);
            add(format!("layers.{layer}.bias"), vec![4 * hidden_size]);
            add(format!("layers.{layer}.initial_hidden"), vec![hidden_size]);
            add(format!("layers.{layer}.initial_cell"), vec![hidden_size]);
        }
        add("head.weight".into(), vec![out_channels, hidden_size]);
        add("head.bias".into(), vec![out_channels]);
        entries
    }

    /// Returns the JSON of the configuration.
    pub(super) fn json(&self) -> String {
        let Sizes { num_layers, input_size, hidden_size, out_channels } = self;
        let mut text = format!(
            "{{\"input_size\": {input_size}, \"hidden_size\": {hidden_size}, \"num_layers\": {num_layers}"
        );
        if (*input_size, *out_channels) != (1, 1) {
            // The version that has these keys reads `input_size` as well.
            let _ = write!(text, ", \"in_channels\": {input_size}, \"out_channels\": {out_channels}");
        }
        text.push('}');
        text
    }
}

/// Returns the number of LSTMs in a model that is a stack of them and a head.
pub(super) fn layers<M: Model>(model: &M) -> usize {
    model.depth().saturating_sub(1).max(1)
}

/// Returns the mapping of a file with this number of LSTMs to a [`Stack`](crate::network::Stack),
/// in the file's order.
pub(super) fn mapping(num_layers: usize) -> Mapping {
    let gates = |kind: &str| ["i", "f", "g", "o"].map(|gate| format!("{kind}_{gate}"));
    let layers = (0..num_layers).fold(Mapping::new(), |mapping, layer| {
        let cell = Mapping::new()
            .with(matrix("weight").stack(gates("W")).stack(gates("U")))
            .with(vector("bias").stack(gates("b")))
            .with(vector("initial_hidden").stack(["h_0"]))
            .with(vector("initial_cell").stack(["c_0"]));
        mapping.and(cell.prefix(&format!("layers.{layer}.")).under(layer))
    });
    let head = Mapping::new().with(matrix("weight").stack(["W"])).with(vector("bias").stack(["b"]));
    layers.and(head.prefix("head.").under(num_layers))
}
