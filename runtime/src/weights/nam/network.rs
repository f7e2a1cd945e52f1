//! The networks that a file can hold.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::super::error::{Problem, setting};
use super::super::json::Field;
use super::super::mapping::Mapping;
use super::entry::Entry;
use super::lstm::{self, Sizes};
use super::wavenet::WaveNet;
use crate::cell::Model;

/// A network without its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Network {
    Lstm(Sizes),
    WaveNet(WaveNet),
}

impl Network {
    /// Returns the network of `model`, or `None` if no file can hold it.
    pub(super) fn of<M: Model>(model: &M) -> Option<Self> {
        let wavenet = || WaveNet::of(model).map(Network::WaveNet);
        Sizes::of(model).map(Network::Lstm).or_else(wavenet)
    }

    /// Reads the network of a file. Reports all mistakes.
    pub(super) fn read(root: &Field, problems: &mut Vec<Problem>) -> Option<Self> {
        let (architecture, config) = (root.get("architecture"), root.get("config"));
        match architecture.text() {
            Some("LSTM") => Sizes::read(&config, problems).map(Network::Lstm),
            Some("WaveNet") => WaveNet::read(&config, problems).map(Network::WaveNet),
            _ => {
                let wanted = "only \"LSTM\", \"WaveNet\" and \"SlimmableContainer\" can be read";
                problems.push(architecture.refuse(wanted));
                None
            }
        }
    }

    /// Returns the architecture in a file.
    pub(super) fn architecture(&self) -> &'static str {
        match self {
            Network::Lstm(_) => "LSTM",
            Network::WaveNet(_) => "WaveNet",
        }
    }

    /// Formats the sizes in a few words.
    pub(super) fn describe(&self) -> String {
        match self {
            Network::Lstm(sizes) => sizes.describe(),
            Network::WaveNet(wavenet) => wavenet.describe(),
        }
    }

    /// Returns the number of weights of a file, or `usize::MAX` if it overflows.
    pub(super) fn weights(&self) -> usize {
        match self {
            Network::Lstm(sizes) => sizes.weights(),
            Network::WaveNet(wavenet) => wavenet.weights(),
        }
    }

    /// Returns the tensors in the order of a file.
    pub(super) fn entries(&self) -> Vec<Entry> {
        match self {
            Network::Lstm(sizes) => sizes.entries(),
            Network::WaveNet(wavenet) => wavenet.entries(),
        }
    }

    /// Returns the mapping of the tensors to a model that is this network.
    pub(super) fn mapping<M: Model>(&self, model: &M) -> Mapping {
        match self {
            Network::Lstm(sizes) => lstm::mapping(sizes.num_layers),
            Network::WaveNet(_) => Mapping::by_name(model),
        }
    }

    /// Returns the differences from the network of a model, `None` if there is none.
    pub(super) fn differences(&self, model: &Self) -> Option<Vec<Problem>> {
        let problems = match (self, model) {
            (Network::Lstm(file), Network::Lstm(cell)) => {
                let sizes = [
                    ("num_layers", file.num_layers, cell.num_layers),
                    ("input_size", file.input_size, cell.input_size),
                    ("hidden_size", file.hidden_size, cell.hidden_size),
                    ("out_channels", file.out_channels, cell.out_channels),
                ];
                let differ = sizes.into_iter().filter(|(_, file, cell)| file != cell);
                differ
                    .map(|(name, file, cell)| Problem::Size { name: name.to_string(), file, cell })
                    .collect()
            }
            _ if self == model => vec![],
            _ => {
                let wanted = alloc::format!("the model is {}", model.describe());
                vec![setting("config", self.describe(), &wanted)]
            }
        };
        (!problems.is_empty()).then_some(problems)
    }

    /// Returns the version of the format that a file of this network needs.
    pub(super) fn version(&self) -> &'static str {
        match self {
            Network::Lstm(_) => "0.5.4",
            Network::WaveNet(wavenet) => wavenet.version(),
        }
    }

    /// Returns the JSON of the configuration. The scale of a WaveNet's head is its last weight.
    pub(super) fn json(&self, last_weight: f64) -> String {
        match self {
            Network::Lstm(sizes) => sizes.json(),
            Network::WaveNet(wavenet) => wavenet.json(last_weight),
        }
    }
}
