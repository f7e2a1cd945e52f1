//! Tables of a model's layers and parameters.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::any::type_name;
use core::fmt;

use crate::cell::{BlockShape, Model, Parameter, Shape, TypeName};

/// The layers and parameters of a model, made by [`summary`]. Its text is a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The layers, in the order of their parameters.
    pub layers: Vec<LayerSummary>,
    /// The name of the scalar, `f32` or `f64`.
    pub scalar: &'static str,
    /// The size of a scalar, in bytes.
    pub scalar_bytes: usize,
}

/// One layer of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSummary {
    /// The path that the names of the parameters start with, empty for a layer by itself.
    pub path: String,
    /// The type of the layer, without the paths of modules: `Lstm<3, 8>`.
    pub kind: String,
    /// The number of floating-point operations per step and sample, if it is known: it is for cells
    /// of [`rnn_cell!`](crate::rnn_cell!) and networks of them.
    pub flops: Option<usize>,
    /// The parameters and buffers.
    pub parameters: Vec<ParameterSummary>,
}

/// One parameter or buffer of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSummary {
    /// The name in the layer: `W_i`.
    pub name: String,
    /// The number of heads, for a parameter of `heads K { .. }`.
    pub heads: Option<usize>,
    /// The numbers of rows and columns, of one head.
    pub shape: (usize, usize),
    /// True for a parameter, false for a buffer, which is saved but not learned.
    pub is_learned: bool,
}

impl ParameterSummary {
    /// Returns the number of entries.
    pub fn count(&self) -> usize {
        self.heads.unwrap_or(1) * self.shape.0 * self.shape.1
    }
}

impl LayerSummary {
    /// Returns the number of learned scalars.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().filter(|parameter| parameter.is_learned).map(ParameterSummary::count).sum()
    }

    /// Returns the number of scalars in buffers.
    pub fn buffer_count(&self) -> usize {
        self.parameters.iter().filter(|parameter| !parameter.is_learned).map(ParameterSummary::count).sum()
    }

    /// Returns whether a parameter of this path belongs to the layer.
    fn holds(&self, name: &str) -> bool {
        self.path.is_empty() || name.strip_prefix(&self.path).is_some_and(|rest| rest.starts_with('.'))
    }
}

impl Summary {
    /// Returns the number of learned scalars.
    pub fn parameter_count(&self) -> usize {
        self.layers.iter().map(LayerSummary::parameter_count).sum()
    }

    /// Returns the number of scalars in buffers, which are saved but not learned.
    pub fn buffer_count(&self) -> usize {
        self.layers.iter().map(LayerSummary::buffer_count).sum()
    }

    /// Returns the size of all parameters and buffers, in bytes.
    pub fn bytes(&self) -> usize {
        (self.parameter_count() + self.buffer_count()) * self.scalar_bytes
    }

    /// Returns the number of floating-point operations if every layer makes one step for one
    /// sample, or `None` if that of a layer is not known.
    pub fn flops(&self) -> Option<usize> {
        self.layers.iter().map(|layer| layer.flops).sum()
    }

    fn add(&mut self, name: &str, shape: BlockShape, is_learned: bool) {
        let longest = |layer: &&mut LayerSummary| layer.path.len();
        let owner = self.layers.iter_mut().filter(|layer| layer.holds(name)).max_by_key(longest);
        let Some(layer) = owner else { return };
        let name = name.strip_prefix(&layer.path).unwrap_or(name).trim_start_matches('.');
        // The blocks of a parameter follow one another.
        if layer.parameters.last().is_none_or(|last| last.name != name) {
            layer.parameters.push(ParameterSummary {
                name: name.to_owned(),
                heads: shape.heads(),
                shape: shape.whole,
                is_learned,
            });
        }
    }
}

/// Returns the layers of a model with their parameters and the operations of a step.
///
/// ```
/// use rnn_cell::cells::{Dense, Elman};
/// use rnn_cell::inspect::summary;
/// use rnn_cell::prelude::*;
///
/// let net = Stack::new(Elman::<3, 4>::zeros(), Dense::<4, 2>::zeros());
/// let summary = summary(&net);
/// assert_eq!((summary.parameter_count(), summary.bytes(), summary.flops()), (42, 168, Some(86)));
/// let text = "\
/// layer           shape   parameters  operations
/// 0  Elman<3, 4>                  32          68
///    W            [4, 3]          12
///    U            [4, 4]          16
///    b            [4]              4
/// 1  Dense<4, 2>                  10          18
///    W            [2, 4]           8
///    b            [2]              2
/// 42 parameters, 168 bytes in f32; 86 operations per step and sample
/// ";
/// assert_eq!(summary.to_string(), text);
/// ```
///
/// An operation is counted as for the constants `FLOPS_PER_STEP` of cells: a multiply-add of a
/// product counts as two, an elementary function as one. Hand-written layers implement
/// [`visit_layers`](Model::visit_layers) to show theirs.
pub fn summary<M: Model + ?Sized>(model: &M) -> Summary {
    let mut layers = Vec::new();
    model.visit_layers(&mut |layer| {
        layers.push(LayerSummary {
            path: layer.path.to_owned(),
            kind: TypeName(layer.kind).to_string(),
            flops: layer.flops,
            parameters: Vec::new(),
        });
    });
    let scalar_bytes = size_of::<M::Scalar>();
    let mut summary = Summary { layers, scalar: type_name::<M::Scalar>(), scalar_bytes };
    model.visit(&mut |Parameter { name, shape, .. }| summary.add(name, shape, true));
    model.visit_buffers(&mut |Parameter { name, shape, .. }| summary.add(name, shape, false));
    summary
}

/// The four columns of a row: a name, a shape, a number of parameters, a number of operations.
type Row = [String; 4];

impl Summary {
    /// Returns the rows of the table.
    fn rows(&self) -> Vec<Row> {
        let indent = self.layers.iter().map(|layer| layer.path.chars().count() + 2).max();
        let indent = indent.filter(|width| *width > 2).unwrap_or(2).min(24);
        let head = ["layer", "shape", "parameters", "operations"].map(ToOwned::to_owned);
        let mut rows = Vec::from([head]);
        for layer in &self.layers {
            let name = match layer.path.as_str() {
                "" => layer.kind.clone(),
                path => format!("{:<width$}{}", format!("{path}  "), layer.kind, width = indent),
            };
            let flops = layer.flops.map_or_else(|| "unknown".to_owned(), |flops| flops.to_string());
            rows.push([name, String::new(), layer.parameter_count().to_string(), flops]);
            for parameter in &layer.parameters {
                let name = format!("{:indent$}{}", "", parameter.name);
                let kind = if parameter.is_learned { "" } else { "buffer" };
                let shape = Shape { heads: parameter.heads, size: parameter.shape }.to_string();
                rows.push([name, shape, parameter.count().to_string(), kind.to_owned()]);
            }
        }
        rows
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let [name, shape, count, flops] = [0, 1, 2, 3].map(width);
        for row in &rows {
            let line =
                format!("{:<name$}  {:<shape$}  {:>count$}  {:>flops$}", row[0], row[1], row[2], row[3]);
            writeln!(f, "{}", line.trim_end())?;
        }
        write!(f, "{} parameters", self.parameter_count())?;
        if self.buffer_count() > 0 {
            write!(f, " and {} numbers in buffers", self.buffer_count())?;
        }
        write!(f, ", {} bytes in {}; ", self.bytes(), self.scalar)?;
        match self.flops() {
            Some(flops) => writeln!(f, "{flops} operations per step and sample"),
            None => {
                let known: usize = self.layers.iter().filter_map(|layer| layer.flops).sum();
                writeln!(f, "at least {known} operations per step and sample")
            }
        }
    }
}
