//! The derivative of a step's new states by the old ones, as equations.
//!
//! A pass in forward mode over the graph of one step. The tangent of a value is a sum of linear maps of the tangent of an
//! old state: products of [`Factor`]s, which end at that tangent or at the tangent of a value that has a [`Line`] of its own. The
//! chain rule is thus written as a person writes it, through the user's equations. The slopes of functions are those of the
//! backward pass: what an operation hands to its argument, given a cotangent of one.

mod factor;

use crate::analysis::resolve::{Resolved, Target};
use crate::graph::grid::{Grid, piece_name};
use crate::graph::ir::{Graph, Id, Op, Piece};
use crate::graph::ops::choice;
use crate::syntax::ast::{Cell, DeclarationKind};
use std::collections::{HashMap, HashSet};

pub use factor::{Factor, Term};

/// Terms of a tangent, and factors of a term, that are written in one line; a value with more gets a line of its own.
const LONGEST: usize = 8;

#[derive(Debug)]
pub struct Jacobian {
    /// The step's graph, and the coefficients of the lines.
    pub graph: Graph,
    /// Where the nodes of the step end and those that only coefficients need begin.
    pub end: usize,
    /// What the user's equations call by a name, and which of that the user knows as a row: the vector behind it is computed.
    pub named: HashSet<Id>,
    pub rows: HashSet<Id>,
    /// In an order in which what a line refers to stands before it.
    pub lines: Vec<Line>,
}

/// The derivative of a value by a block of an old state.
#[derive(Debug)]
pub struct Line {
    pub of: Of,
    /// The block of the state.
    pub by: Piece,
    /// Their sum is the tangent; none: it is zero.
    pub terms: Vec<Term>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    /// A value of the step; an equation's, or one that equations share.
    Value(Id),
    /// A block of a new state. Every one has a line by every old one.
    State { piece: Piece, value: Id },
}

impl Of {
    pub fn value(self) -> Id {
        match self {
            Of::Value(id) | Of::State { value: id, .. } => id,
        }
    }
}

/// None if a state has no value, which is a mistake that has been reported.
pub fn derive(cell: &Cell, resolved: &Resolved, graph: &Graph, targets: &[Vec<Grid>]) -> Option<Jacobian> {
    let mut states = vec![];
    for (index, declaration) in cell.declarations.iter().enumerate() {
        if declaration.kind == DeclarationKind::State {
            let Target { equation, index: target } = resolved.state_values[index]?;
            let grid = targets[equation].get(target)?;
            for (row, column, id) in grid.pieces() {
                let value = graph.storage(id);
                let name = piece_name(&declaration.name.to_string(), grid, row, column);
                let is_own = graph[value].name.as_ref() == Some(&name);
                states.push(NewState { piece: Piece { of: index, row, column }, value, is_own });
            }
        }
    }
    let blocks = || targets.iter().flatten().flat_map(|grid| &grid.blocks);
    let named = blocks().map(|id| graph.storage(*id)).collect();
    let rows = blocks().filter(|id| graph[**id].shape.is_row()).map(|id| graph.storage(*id)).collect();
    let mut sweep = Sweep { graph: graph.clone(), end: graph.len(), named };
    let mut lines = vec![];
    for state in &states {
        lines.extend(sweep.by(state.piece, &states));
    }
    Some(Jacobian { graph: sweep.graph, end: sweep.end, named: sweep.named, rows, lines })
}

/// A block of a new state.
struct NewState {
    piece: Piece,
    value: Id,
    /// Whether the value is called after this state, and not after another one that it is as well.
    is_own: bool,
}

struct Sweep {
    graph: Graph,
    /// The nodes of the step; coefficients come after them.
    end: usize,
    named: HashSet<Id>,
}

impl Sweep {
    /// All lines by one block of an old state that the lines of the new states need.
    fn by(&mut self, by: Piece, states: &[NewState]) -> Vec<Line> {
        let users = self.users(by);
        let mut tangents: HashMap<Id, Vec<Term>> = HashMap::new();
        let mut lines = vec![];
        for (index, &users) in users.iter().enumerate().take(self.end) {
            let id = Id(index as u32);
            if self.graph[id].op == Op::Previous(by) {
                tangents.insert(id, vec![Term::default()]);
                continue;
            }
            let terms = self.tangent(id, &tangents);
            if terms.is_empty() {
                continue;
            }
            let is_long = terms.len() > LONGEST || terms.iter().any(|term| term.factors.len() > LONGEST);
            let is_shared = users > 1 && terms.iter().any(|term| !term.factors.is_empty());
            let tangent = if self.named.contains(&id) || is_shared || is_long {
                lines.push(Line { of: Of::Value(id), by, terms });
                vec![Term { base: Some(id), ..Term::default() }]
            } else {
                terms
            };
            tangents.insert(id, tangent);
        }

        for NewState { piece, value, is_own } in states {
            let of = Of::State { piece: *piece, value: *value };
            match lines.iter_mut().find(|line| *is_own && line.of == Of::Value(*value)) {
                Some(line) => line.of = of,
                // Zero, an old state as it is, or what goes by another name.
                None => {
                    let terms = tangents.get(value).cloned().unwrap_or_default();
                    lines.push(Line { of, by, terms });
                }
            }
        }
        needed(lines)
    }

    /// By node: how many nodes use it on the way from the state on.
    fn users(&self, by: Piece) -> Vec<usize> {
        let mut active = vec![false; self.end];
        let mut users = vec![0; self.end];
        for index in 0..self.end {
            let node = &self.graph[Id(index as u32)];
            let args: HashSet<usize> =
                node.args.iter().map(|arg| arg.index()).filter(|arg| active[*arg]).collect();
            active[index] = node.op == Op::Previous(by)
                || !args.is_empty() && !matches!(node.op, Op::StopGradient | Op::Maximum);
            if active[index] {
                args.into_iter().for_each(|arg| users[arg] += 1);
            }
        }
        users
    }

    /// The tangent of a node from those of its arguments.
    fn tangent(&mut self, id: Id, tangents: &HashMap<Id, Vec<Term>>) -> Vec<Term> {
        let args = self.graph[id].args.clone();
        let mut sum = vec![];
        for (position, arg) in args.iter().enumerate() {
            let Some(terms) = tangents.get(arg) else { continue };
            let Some(factors) = self.factors(id, position) else { continue };
            for term in terms {
                let mut term = term.clone();
                for factor in factors.iter().rev() {
                    term.push(&mut self.graph, factor.clone());
                }
                Term::add(&mut self.graph, &mut sum, term);
            }
        }
        sum
    }

    /// What takes the tangent of an argument to the node's, the last applied first. None: it has no influence.
    fn factors(&mut self, id: Id, position: usize) -> Option<Vec<Factor>> {
        let graph = &mut self.graph;
        let node = graph[id].clone();
        let arg = graph[*node.args.get(position)?].shape;
        let one = graph.constant(1.0);
        let scaled = |slope: Id| match arg == node.shape {
            true => vec![Factor::Scale(slope)],
            false => vec![Factor::Scale(slope), Factor::Expand { from: arg, to: node.shape }],
        };
        let transposition = |flag: bool| flag.then_some(Factor::Transpose);
        Some(match (&node.op, node.args.as_slice()) {
            (Op::Unary(op), [x]) => vec![Factor::Scale((op.row().pull_back)(graph, *x, id, one)?)],
            (Op::Binary(op), [a, b]) => scaled((op.row().pull_back)(graph, [*a, *b], id, one)[position]?),
            (Op::Select(op), [a, b, _, _]) => scaled(choice::pull_back(graph, *op, [*a, *b], one)[position]?),
            (Op::Copy(_), _) => vec![],
            (Op::Expand, _) => vec![Factor::Expand { from: arg, to: node.shape }],
            (Op::MatMul { ta, tb }, [a, b]) => match position {
                0 => [Factor::Right { of: *b, transposed: *tb }]
                    .into_iter()
                    .chain(transposition(*ta))
                    .collect(),
                _ => {
                    [Factor::Left { of: *a, transposed: *ta }].into_iter().chain(transposition(*tb)).collect()
                }
            },
            (Op::Transpose, _) => vec![Factor::Transpose],
            (Op::Reshape, _) => vec![Factor::Reshape(node.shape)],
            (Op::Gather { offset }, [_, w]) if position == 0 => {
                vec![Factor::Gather { offset: offset.clone(), index: *w }]
            }
            (Op::Sum, _) => vec![Factor::Sum],
            (Op::RowSum, _) => vec![Factor::RowSum],
            (Op::ColumnSum, _) => vec![Factor::ColumnSum],
            (Op::Concat, parts) => {
                let rows = |id: &Id| graph[*id].shape.rows.literal();
                let start = parts[..position].iter().map(rows).sum();
                vec![Factor::Place { start, rows: arg.rows.literal(), shape: node.shape }]
            }
            (Op::Slice { start, count }, _) => vec![Factor::Slice { start: *start, count: *count }],
            _ => return None,
        })
    }
}

/// The lines of the new states, and those that they refer to.
fn needed(lines: Vec<Line>) -> Vec<Line> {
    let mut wanted: HashSet<Id> = HashSet::new();
    let mut kept: Vec<Line> = vec![];
    // What a line refers to comes before it.
    for line in lines.into_iter().rev() {
        if matches!(line.of, Of::State { .. }) || wanted.contains(&line.of.value()) {
            wanted.extend(line.terms.iter().filter_map(|term| term.base));
            kept.push(line);
        }
    }
    kept.reverse();
    kept
}
