//! Names of values, unique within a graph: the user's names where there are any, else generated
//! ones.

use crate::analysis::past::Past;
use crate::analysis::shapes::Shapes;
use crate::dim::Shape;
use crate::graph::grid::block_name;
use crate::graph::ir::{Graph, Id, Op, Piece, Reach};
use crate::syntax::ast::Cell;
use proc_macro2::Ident;
use std::collections::{HashMap, HashSet};

/// A unique name for each value of a graph.
#[derive(Debug)]
pub struct ValueNames {
    names: HashMap<Id, String>,
    /// The names of the variables that hold values themselves, as opposed to slices of them.
    owners: HashMap<Id, String>,
}

impl ValueNames {
    pub fn new(cell: &Cell, shapes: &Shapes, past: &Past, graph: &Graph) -> Self {
        let mut unique = UniqueNames::default();
        let mut names = HashMap::new();
        // The user's names come first, so that a generated name never takes one.
        let mut order: Vec<Id> = graph.ids().collect();
        order.sort_by_key(|id| (!graph[*id].op.is_leaf(), graph[*id].name.is_none()));
        for id in order {
            let wanted = match &graph[id].op {
                Op::Read(piece) => piece_of(cell, shapes, *piece, ""),
                Op::Previous(piece) => piece_of(cell, shapes, *piece, "_prev"),
                Op::Past(earlier) => {
                    let name = past.values[earlier.piece.of].block_name(earlier.piece);
                    format!("{name}_{}", reach(cell, earlier.reach))
                }
                Op::PastBar { piece, .. } => {
                    format!("{}_later_bar", past.values[piece.of].block_name(*piece))
                }
                Op::CarryBar(piece) => piece_of(cell, shapes, *piece, "_carry"),
                Op::OutputBar(piece) => {
                    let name = cell.outputs.get(piece.of).map_or("output".to_owned(), Ident::to_string);
                    format!("{name}{}_out_bar", numbered(piece.row, piece.row > 0))
                }
                op => graph[id].name.clone().unwrap_or_else(|| generated_name(op).to_owned()),
            };
            names.insert(id, unique.take(wanted));
        }
        // A user's value may be called `value_h` beside `h`.
        let owners = graph.ids().map(|id| (id, unique.take(format!("value_{}", names[&id])))).collect();
        ValueNames { names, owners }
    }

    pub fn text(&self, id: Id) -> &str {
        self.names.get(&id).map_or("value", String::as_str)
    }

    /// Returns the name of the variable that holds a value itself, as opposed to the slice of it.
    pub fn owner_text(&self, id: Id) -> &str {
        self.owners.get(&id).map_or("value_value", String::as_str)
    }
}

/// Names without repetitions.
#[derive(Debug, Default)]
struct UniqueNames {
    taken: HashSet<String>,
    /// The last number given to each name.
    numbers: HashMap<String, usize>,
}

impl UniqueNames {
    /// Returns the name, with a number if it is taken.
    fn take(&mut self, wanted: String) -> String {
        let mut name = wanted.clone();
        while !self.taken.insert(name.clone()) {
            let number = self.numbers.entry(wanted.clone()).or_insert(1);
            *number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }
}

/// Returns the name of a delay: `3_ago`, `2D_ago`, `before`.
fn reach(cell: &Cell, reach: Reach) -> String {
    match reach {
        Reach::Delay { count, dimension: None } => format!("{count}_ago"),
        Reach::Delay { count: 1, dimension: Some(dimension) } => {
            format!("{}_ago", cell.dimensions[dimension])
        }
        Reach::Delay { count, dimension: Some(dimension) } => {
            format!("{count}{}_ago", cell.dimensions[dimension])
        }
        Reach::Window { .. } => "before".to_owned(),
    }
}

fn numbered(index: usize, show: bool) -> String {
    if show { format!("_{index}") } else { String::new() }
}

fn piece_of(cell: &Cell, shapes: &Shapes, piece: Piece, suffix: &str) -> String {
    format!("{}{suffix}", declared_name(cell, shapes, piece))
}

/// Returns the generated name of a value: that of its operation.
fn generated_name(op: &Op) -> &'static str {
    match op {
        Op::MatMul { .. } => "product",
        Op::Gather { .. } => "column",
        Op::Sum | Op::RowSum | Op::ColumnSum => "sum",
        Op::Maximum => "greatest",
        Op::Accumulate => "total",
        Op::Transpose => "transposed",
        Op::Window { .. } => "window",
        Op::RepeatHeads => "repeated",
        Op::GroupSum | Op::BlockSum => "sum",
        Op::Blocks => "blocks",
        Op::Present { .. } => "present",
        _ => "value",
    }
}

/// Returns the name of a block of a declaration: the name of the declaration if it has only one
/// block.
pub fn declared_name(cell: &Cell, shapes: &Shapes, piece: Piece) -> String {
    let blocks = shapes.declarations[piece.of].as_ref().map_or((1, 1), Shape::blocks);
    block_name(&cell.declarations[piece.of].name.to_string(), blocks, piece.row, piece.column)
}
