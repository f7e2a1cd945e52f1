//! The derivative of a step's new states with respect to the old ones, as equations.
//!
//! This is forward-mode differentiation of the graph of one step. The tangent of a value is a sum
//! of linear maps of the tangent of an old state. Each map is a product of [`Factor`]s, which ends
//! at that tangent or at the tangent of a value that has its own [`Line`]. The chain rule thus
//! follows the user's equations, as if written by hand. The slopes of functions are those of the
//! backward pass: the cotangent of an operation's argument, given a cotangent of one.

mod factor;

use crate::analysis::resolve::{Resolved, Target};
use crate::graph::grid::Grid;
use crate::graph::ir::{Graph, Id, Op, Piece};
use crate::graph::ops::choice;
use crate::syntax::ast::{Cell, DeclarationKind};
use std::collections::{HashMap, HashSet};

pub use factor::{Factor, Term};

/// The largest number of terms of a tangent, and of factors of a term, in one line. A value with
/// more gets its own line.
const LONGEST: usize = 8;

#[derive(Debug)]
pub struct Jacobian {
    /// The graph of the step, plus the coefficients of the lines.
    pub graph: Graph,
    /// The number of nodes of the step. The nodes from here on are used only by coefficients.
    pub end: usize,
    /// The values that the user's equations name. A value that the user sees as a row is listed as
    /// the vector that is computed for it.
    pub named: HashSet<Id>,
    pub rows: HashSet<Id>,
    /// The lines, each after the lines that it refers to.
    pub lines: Vec<Line>,
}

/// The derivative of a value with respect to a block of an old state.
#[derive(Debug)]
pub struct Line {
    pub of: Of,
    /// The block of the state.
    pub by: Piece,
    /// The terms whose sum is the tangent. It is zero if there are none.
    pub terms: Vec<Term>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    /// A value of the step, which an equation names or several equations share.
    Value(Id),
    /// A block of a new state. There is a line for every pair of a new and an old block.
    State { piece: Piece, value: Id },
}

impl Of {
    pub fn value(self) -> Id {
        match self {
            Of::Value(id) | Of::State { value: id, .. } => id,
        }
    }
}

/// Derives the equations. Returns `None` if a state has no value, which is an error that has been
/// reported.
pub fn derive(cell: &Cell, resolved: &Resolved, graph: &Graph, targets: &[Vec<Grid>]) -> Option<Jacobian> {
    let mut states = vec![];
    for (index, declaration) in cell.declarations.iter().enumerate() {
        if declaration.kind == DeclarationKind::State {
            let Target { equation, index: target } = resolved.state_values[index]?;
            let grid = targets[equation].get(target)?;
            for (row, column, id) in grid.pieces() {
                let value = graph.storage(id);
                let name = grid.block_name(&declaration.name.to_string(), row, column);
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
    /// True if the value is named after this state, not after another one that has the same value.
    is_own: bool,
}

struct Sweep {
    graph: Graph,
    /// The number of nodes of the step. Coefficients follow.
    end: usize,
    named: HashSet<Id>,
}

impl Sweep {
    /// Returns the lines with respect to one block of an old state that the lines of the new states
    /// need.
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
                // The tangent is zero, an old state itself, or a value under another name.
                None => {
                    let terms = tangents.get(value).cloned().unwrap_or_default();
                    lines.push(Line { of, by, terms });
                }
            }
        }
        needed(lines)
    }

    /// Counts for each node the nodes that use it and depend on the state.
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

    /// Returns the tangent of a node, given those of its arguments.
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

    /// Returns the map from the tangent of an argument to that of the node, the last factor applied
    /// first. Returns `None` if the argument has no influence.
    fn factors(&mut self, id: Id, position: usize) -> Option<Vec<Factor>> {
        let graph = &mut self.graph;
        let node = graph[id].clone();
        let arg = graph[*node.args.get(position)?].shape;
        let one = graph.constant(1.0);
        let scaled = |slope: Id| {
            if arg == node.shape {
                vec![Factor::Scale(slope)]
            } else {
                vec![Factor::Scale(slope), Factor::Expand { from: arg, to: node.shape }]
            }
        };
        let transposition = |flag: bool| flag.then_some(Factor::Transpose);
        Some(match (&node.op, node.args.as_slice()) {
            (Op::Unary(op), [x]) => vec![Factor::Scale((op.row().pull_back)(graph, *x, id, one)?)],
            (Op::Binary(op), [a, b]) => scaled((op.row().pull_back)(graph, [*a, *b], id, one)[position]?),
            (Op::Select(condition), [compared @ .., _, _]) => {
                scaled(choice::pull_back(graph, condition, compared, one)[position]?)
            }
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

/// Returns the lines of the new states, and the lines that they refer to.
fn needed(lines: Vec<Line>) -> Vec<Line> {
    let mut wanted: HashSet<Id> = HashSet::new();
    let mut kept: Vec<Line> = vec![];
    // A line comes after the lines that it refers to.
    for line in lines.into_iter().rev() {
        if matches!(line.of, Of::State { .. }) || wanted.contains(&line.of.value()) {
            wanted.extend(line.terms.iter().filter_map(|term| term.base));
            kept.push(line);
        }
    }
    kept.reverse();
    kept
}
