//! Lowering of the checked definition to the graph.
//!
//! A value whose dimensions are sums is a grid of blocks, one per pair of terms. Stacking and
//! splitting only change which blocks a grid holds, and cost nothing.

mod heads;
mod inner_names;
pub mod jacobian;
pub mod names;

use crate::analysis::heads::{heads, heads_block_of};
use crate::analysis::past::{self, Past, PastOf, PastRead};
use crate::analysis::resolve::{Callee, Delayed, Resolved, Symbol, Target};
use crate::analysis::shapes::Shapes;
use crate::diagnostics::Diagnostics;
use crate::dim::{Atom, Dim, Shape};
use crate::graph::grid::{Grid, positions};
use crate::graph::ir::{BlockShape, Condition, Earlier, Graph, Id, Level, Op, Piece};
use crate::graph::ops::{Operation, ShapeRule, Translation};
use crate::syntax::ast::{BinaryOp, Cell, DeclarationKind, Expr, ExprKind};
use std::collections::HashMap;

/// The definition as graphs.
#[derive(Debug)]
pub struct Lowered {
    /// The graph of one step.
    pub graph: Graph,
    /// The value of each target of each equation. Within a block of heads it has the shape of one
    /// head.
    pub targets: Vec<Vec<Grid>>,
    /// The recorded values of [`Past`] that are computed: equations, and arguments of windows.
    pub recorded: Vec<Option<Grid>>,
    /// The value of each output: the stack of all heads for a value of a block.
    pub outputs: Vec<Option<Grid>>,
    /// The graph of the initial values of states that have an initialiser.
    pub initial_graph: Graph,
    /// Declarations of states with their initial values.
    pub initial: Vec<(usize, Grid)>,
}

/// The largest number of nodes of a graph, and of blocks of a value. Functions that apply each
/// other to their own results double in size at each level, and so do nested stacks. No cell in the
/// literature comes near this limit.
const LARGEST: usize = 50_000;

/// Lowers a definition. Returns `None` for one that exceeds `LARGEST`, which is reported.
pub fn lower(
    cell: &Cell,
    resolved: &Resolved,
    shapes: &Shapes,
    past: &Past,
    diagnostics: &mut Diagnostics,
) -> Option<Lowered> {
    let mut lowering = Lowering::new(cell, resolved, shapes, past);
    for &equation in &resolved.order {
        let value = &cell.equations[equation].value;
        lowering.heads_block = cell.equations[equation].heads_block;
        let lowered = lowering.expr(value);
        if lowering.is_too_large {
            report_size(value, diagnostics);
        }
        lowering.define(equation, lowered?)?;
    }
    inner_names::suggest(&mut lowering.graph, &resolved.order, &lowering.targets);
    let outputs = resolved.outputs.iter().map(|target| lowering.output((*target)?)).collect();
    let (graph, targets, mut recorded) = (lowering.graph, lowering.targets, lowering.recorded);
    for (value, grid) in past.values.iter().zip(&mut recorded) {
        if let PastOf::Target(target) = value.of {
            *grid = targets.get(target.equation)?.get(target.index).cloned();
        }
    }

    let mut lowering = Lowering::new(cell, resolved, shapes, past);
    let mut initial = vec![];
    for (index, declaration) in cell.declarations.iter().enumerate() {
        if let (DeclarationKind::State, Some(value)) = (declaration.kind, &declaration.initial) {
            lowering.heads_block = declaration.heads_block;
            let lowered = lowering.initial(index, value);
            if lowering.is_too_large {
                report_size(value, diagnostics);
            }
            let value = lowered?;
            for (row, column, id) in value.pieces() {
                let name = value.block_name(&declaration.name.to_string(), row, column);
                lowering.graph.suggest_name(id, &name);
            }
            initial.push((index, value));
        }
    }
    Some(Lowered { graph, targets, outputs, recorded, initial_graph: lowering.graph, initial })
}

/// Returns a condition without the values that it compares. Returns `None` for any other
/// expression.
fn condition_of(expr: &Expr) -> Option<Condition> {
    Some(match &expr.kind {
        ExprKind::Compare { op, .. } => Condition::Compare(*op),
        ExprKind::Not(inner) => Condition::Not(Box::new(condition_of(inner)?)),
        ExprKind::Logic { op, left, right } => {
            Condition::Both(*op, Box::new([condition_of(left)?, condition_of(right)?]))
        }
        _ => return None,
    })
}

fn report_size(value: &Expr, diagnostics: &mut Diagnostics) {
    diagnostics
        .error(value.extent, format!("more than {LARGEST} operations, once everything is expanded"))
        .help("use fewer levels of nested calls or nested stacks: each level doubles the size");
}

struct Lowering<'a> {
    cell: &'a Cell,
    resolved: &'a Resolved,
    shapes: &'a Shapes,
    past: &'a Past,
    graph: Graph,
    targets: Vec<Vec<Grid>>,
    /// The arguments of windows, indexed by recorded value.
    recorded: Vec<Option<Grid>>,
    /// The block of heads that contains the current equation or declaration.
    heads_block: Option<usize>,
    /// The arguments of the user's function that is being expanded.
    arguments: Vec<Grid>,
    /// The results of the user's functions by arguments. Without them, functions that call each
    /// other twice would be expanded exponentially often.
    expanded: HashMap<(usize, Vec<Vec<Id>>), Grid>,
    is_too_large: bool,
}

impl<'a> Lowering<'a> {
    fn new(cell: &'a Cell, resolved: &'a Resolved, shapes: &'a Shapes, past: &'a Past) -> Self {
        let targets = cell.equations.iter().map(|_| vec![]).collect();
        Lowering {
            cell,
            resolved,
            shapes,
            past,
            graph: Graph::default(),
            targets,
            recorded: past.values.iter().map(|_| None).collect(),
            heads_block: None,
            arguments: vec![],
            expanded: HashMap::new(),
            is_too_large: false,
        }
    }

    /// Records the value of an equation under the names of its targets.
    fn define(&mut self, index: usize, value: Grid) -> Option<()> {
        let equation = &self.cell.equations[index];
        let mut values =
            if equation.is_split { self.split(&value, equation.targets.len())? } else { vec![value] };
        for (position, value) in values.iter_mut().enumerate() {
            let target = Target { equation: index, index: position };
            let is_recorded = self.past.values.iter().any(|value| value.of == PastOf::Target(target));
            if is_recorded || self.resolved.state_of(target).is_some() {
                self.give_heads(value, heads(self.cell, equation.heads_block));
            }
        }
        for (target, value) in equation.targets.iter().zip(&values) {
            let name = target.to_string();
            for (row, column, id) in value.pieces() {
                let id = self.graph.storage(id);
                self.graph.suggest_name(id, &value.block_name(&name, row, column));
            }
        }
        self.targets[index] = values;
        Some(())
    }

    /// Splits a value into one part per term, or into one part per row of each literal.
    fn split(&mut self, value: &Grid, count: usize) -> Option<Vec<Grid>> {
        let (columns, is_by_term) = (&value.columns, value.rows.len() == count);
        let part = |atom, blocks| Grid { rows: vec![atom], columns: columns.clone(), blocks };
        let mut parts = vec![];
        for (row, atom) in value.rows.iter().enumerate() {
            let blocks = &value.blocks[row * columns.len()..(row + 1) * columns.len()];
            match *atom {
                Atom::Literal(rows) if !is_by_term => {
                    for row in 0..rows {
                        let blocks = blocks.iter().map(|id| self.graph.slice(*id, row, 1)).collect();
                        parts.push(part(Atom::ONE, blocks));
                    }
                }
                atom => parts.push(part(atom, blocks.to_vec())),
            }
        }
        (parts.len() == count).then_some(parts)
    }

    /// Returns the initial value of a state, broadcast to the shape of the state.
    fn initial(&mut self, declaration: usize, value: &Expr) -> Option<Grid> {
        let shape = self.shapes.declarations[declaration].clone()?;
        let value = match &value.kind {
            ExprKind::Name { name, .. } if self.resolved.symbols[value.id].is_none() => {
                let number = match name.to_string().as_str() {
                    "zeros" => 0.0,
                    "ones" => 1.0,
                    _ => return None,
                };
                let id = self.graph.constant(number);
                Grid::single(&self.graph, id)
            }
            _ => self.expr(value)?,
        };
        let mut blocks = vec![];
        for (row, rows) in shape.rows.atoms().iter().enumerate() {
            for (column, columns) in shape.columns.atoms().iter().enumerate() {
                let block = value.broadcast_at(row, column)?;
                let heads = heads(self.cell, self.heads_block);
                blocks.push(self.graph.expand(block, BlockShape::of_heads(heads, *rows, *columns)));
            }
        }
        Some(Grid { rows: shape.rows.atoms().to_vec(), columns: shape.columns.atoms().to_vec(), blocks })
    }

    /// Returns a declared value, each block of which `leaf` reads.
    fn declared(&mut self, index: usize, leaf: fn(Piece) -> Op) -> Option<Grid> {
        let level = match self.cell.declarations[index].kind {
            DeclarationKind::Param | DeclarationKind::Buffer => Level::Param,
            DeclarationKind::Context => Level::Context,
            DeclarationKind::Input | DeclarationKind::State => Level::Time,
        };
        let Shape { rows, columns } = self.shapes.declarations[index].clone()?;
        let heads = heads(self.cell, self.cell.declarations[index].heads_block);
        let mut blocks = vec![];
        for (row, row_atom) in rows.atoms().iter().enumerate() {
            for (column, column_atom) in columns.atoms().iter().enumerate() {
                let piece = Piece { of: index, row, column };
                let shape = BlockShape::of_heads(heads, *row_atom, *column_atom);
                blocks.push(self.graph.leaf(leaf(piece), shape, level));
            }
        }
        Some(Grid { rows: rows.atoms().to_vec(), columns: columns.atoms().to_vec(), blocks })
    }

    /// Returns the index that a one-hot input holds, now or some steps back.
    fn one_hot(&mut self, expr: &Expr) -> Option<Id> {
        let (ExprKind::Name { .. }, Some(symbol)) = (&expr.kind, self.resolved.symbols.get(expr.id)?) else {
            return None;
        };
        let (index, op) = match symbol {
            Symbol::Declaration(index) => (*index, Op::Read(Piece { of: *index, row: 0, column: 0 })),
            Symbol::Delayed(Delayed::Declaration(index)) => {
                let PastRead { ring, reach } = *self.past.reads.get(&expr.id)?;
                let piece = Piece { of: self.past.rings[ring].value, row: 0, column: 0 };
                (*index, Op::Past(Earlier { piece, ring, reach }))
            }
            _ => return None,
        };
        self.shapes.one_hot[index].as_ref()?;
        Some(self.graph.leaf(op, BlockShape::SCALAR, Level::Time))
    }

    /// Returns a value some steps back.
    fn delayed(&mut self, expr: usize) -> Option<Grid> {
        let PastRead { ring, reach } = *self.past.reads.get(&expr)?;
        let value = self.past.rings[ring].value;
        let shape = &self.past.values[value].shape;
        let mut blocks = vec![];
        for (row, column) in positions(shape.blocks()) {
            let earlier = Earlier { piece: Piece { of: value, row, column }, ring, reach };
            let shape = self.past.values[value].block(row, column);
            blocks.push(self.graph.leaf(Op::Past(earlier), shape, Level::Time));
        }
        let Shape { rows, columns } = shape;
        Some(Grid { rows: rows.atoms().to_vec(), columns: columns.atoms().to_vec(), blocks })
    }

    /// Lowers `present(s)`, the mask of the entries of a window.
    fn present(&mut self, lengths: &[Expr]) -> Option<Grid> {
        let (entries, spacing) = past::window_lengths(self.resolved, lengths)?;
        let present = self.graph.present(entries.atom(), spacing.atom());
        Some(Grid { rows: vec![Atom::ONE], columns: vec![entries.atom()], blocks: vec![present] })
    }

    /// Lowers `window(u, s)`, the last values of a vector.
    fn window(&mut self, id: usize, arguments: &[Expr]) -> Option<Grid> {
        let (value, lengths) = arguments.split_first()?;
        let (entries, _) = past::window_lengths(self.resolved, lengths)?;
        let mut value = self.expr(value)?;
        let Some(&PastRead { ring, reach }) = self.past.reads.get(&id) else {
            // A window of one entry is the value itself.
            return Some(value);
        };
        let of = self.past.rings[ring].value;
        if let PastOf::Expression(_) = self.past.values[of].of {
            self.give_heads(&mut value, self.past.values[of].heads);
            self.recorded[of] = Some(value.clone());
        }
        let blocks = value
            .pieces()
            .map(|(row, column, now)| {
                self.graph.window(Earlier { piece: Piece { of, row, column }, ring, reach }, now)
            })
            .collect();
        Some(Grid { rows: value.rows, columns: vec![entries.atom()], blocks })
    }

    fn expr(&mut self, expr: &Expr) -> Option<Grid> {
        match &expr.kind {
            ExprKind::Number(value) => {
                let id = self.graph.constant(*value);
                Some(Grid::single(&self.graph, id))
            }
            ExprKind::Name { .. } => self.name(expr.id),
            ExprKind::Head(inner) => {
                let whole = self.expr(inner)?;
                self.head(&whole)
            }
            ExprKind::Neg(inner) => {
                let inner = self.expr(inner)?;
                Grid::elementwise(&mut self.graph, &[&inner], |graph, ids| graph.neg(ids[0]))
            }
            ExprKind::Binary { op: BinaryOp::MatMul, left, right, .. } => {
                let a = self.expr(left)?;
                match self.one_hot(right) {
                    Some(index) => self.gather(&a, index),
                    None => {
                        let b = self.expr(right)?;
                        self.matmul(&a, &b)
                    }
                }
            }
            ExprKind::Binary { op, left, right, .. } => {
                let (a, b) = (self.expr(left)?, self.expr(right)?);
                Grid::elementwise(&mut self.graph, &[&a, &b], |graph, ids| match op {
                    BinaryOp::Add => graph.add(ids[0], ids[1]),
                    BinaryOp::Sub => graph.sub(ids[0], ids[1]),
                    BinaryOp::Div => graph.div(ids[0], ids[1]),
                    BinaryOp::Mul | BinaryOp::MatMul => graph.mul(ids[0], ids[1]),
                })
            }
            ExprKind::Transpose(inner) => {
                let inner = self.expr(inner)?;
                Some(inner.transpose(&mut self.graph))
            }
            ExprKind::Stack(parts) => {
                let parts = parts.iter().map(|part| self.expr(part)).collect::<Option<Vec<_>>>()?;
                self.stack(&parts)
            }
            ExprKind::Call { function, arguments } => self.call(expr.id, &function.to_string(), arguments),
            ExprKind::Compare { .. } | ExprKind::Logic { .. } | ExprKind::Not(_) => None,
            ExprKind::RustPath(_) | ExprKind::Error => None,
        }
    }

    fn name(&mut self, id: usize) -> Option<Grid> {
        let symbol = self.resolved.symbols[id]?;
        let value = match symbol {
            Symbol::Declaration(index) => self.declared(index, Op::Read),
            Symbol::Previous(index) => self.declared(index, Op::Previous),
            Symbol::Delayed(_) => self.delayed(id),
            Symbol::Target(Target { equation, index }) => self.targets[equation].get(index).cloned(),
            Symbol::Dimension(index) => {
                let id = self.graph.size(Dim::sum([Atom::Name(index)]));
                Some(Grid::single(&self.graph, id))
            }
            Symbol::Argument(index) => self.arguments.get(index).cloned(),
        }?;
        self.seen_from_here(value, heads_block_of(self.cell, symbol))
    }

    fn call(&mut self, id: usize, name: &str, arguments: &[Expr]) -> Option<Grid> {
        match self.resolved.callees[id]? {
            Callee::User(function) => {
                let values =
                    arguments.iter().map(|argument| self.expr(argument)).collect::<Option<Vec<_>>>()?;
                let key = (function, values.iter().map(|value| value.blocks.clone()).collect());
                if let Some(known) = self.expanded.get(&key) {
                    return Some(known.clone());
                }
                if self.graph.len() > LARGEST {
                    self.is_too_large = true;
                    return None;
                }
                let outer = std::mem::replace(&mut self.arguments, values);
                let result = self.expr(&self.cell.functions[function].body);
                self.arguments = outer;
                if let Some(result) = &result {
                    self.expanded.insert(key, result.clone());
                }
                result
            }
            Callee::BuiltIn(_) if name == "where" => {
                let [condition, then, otherwise] = arguments else { return None };
                let mut values = condition.compared();
                values.extend([then, otherwise]);
                let values = values.into_iter().map(|value| self.expr(value)).collect::<Option<Vec<_>>>()?;
                let condition = condition_of(condition)?;
                Grid::elementwise(&mut self.graph, &values.iter().collect::<Vec<_>>(), |graph, ids| {
                    graph.select(condition.clone(), ids)
                })
            }
            Callee::BuiltIn(Operation { shape: ShapeRule::Window, .. }) => self.window(id, arguments),
            Callee::BuiltIn(Operation { shape: ShapeRule::Present, .. }) => self.present(arguments),
            Callee::BuiltIn(Operation { translation: Translation::OfParts(build), .. }) => {
                let [value, size] = arguments else { return None };
                let (value, size) = (self.expr(value)?, past::length(self.resolved, size)?);
                build(&mut self.graph, &value, size.atom())
            }
            Callee::BuiltIn(operation) => {
                let values =
                    arguments.iter().map(|argument| self.expr(argument)).collect::<Option<Vec<_>>>()?;
                operation.lower(&mut self.graph, &values)
            }
        }
    }

    fn matmul(&mut self, a: &Grid, b: &Grid) -> Option<Grid> {
        let inner = a.columns.len();
        if inner != b.rows.len() {
            return None;
        }
        let mut blocks = vec![];
        for row in 0..a.rows.len() {
            for column in 0..b.columns.len() {
                let mut sum: Option<Id> = None;
                for k in 0..inner {
                    let mut term = self.graph.matmul(false, false, a.at(row, k), b.at(k, column));
                    if a.columns[k].is_product() {
                        term = self.graph.head_sum(term);
                    }
                    sum = Some(match sum {
                        Some(sum) => self.graph.add(sum, term),
                        None => term,
                    });
                }
                blocks.push(sum?);
            }
        }
        Some(Grid { rows: a.rows.clone(), columns: b.columns.clone(), blocks })
    }

    /// Lowers `E @ w` for a one-hot `w`: gathers columns of the blocks of E. Each block counts
    /// from its first column.
    fn gather(&mut self, e: &Grid, one_hot: Id) -> Option<Grid> {
        let mut blocks = vec![];
        for row in 0..e.rows.len() {
            let mut sum: Option<Id> = None;
            for column in 0..e.columns.len() {
                let mut offset = vec![Atom::Literal(0)];
                offset.extend(&e.columns[..column]);
                let term = self.graph.gather(Dim::sum(offset), e.at(row, column), one_hot);
                sum = Some(match sum {
                    Some(sum) => self.graph.add(sum, term),
                    None => term,
                });
            }
            blocks.push(sum?);
        }
        Some(Grid { rows: e.rows.clone(), columns: vec![Atom::ONE], blocks })
    }

    /// Stacks parts vertically. Narrow parts repeat in each column; adjacent literal rows form one
    /// block.
    fn stack(&mut self, parts: &[Grid]) -> Option<Grid> {
        let columns = parts
            .iter()
            .map(|part| &part.columns)
            .find(|columns| **columns != [Atom::ONE])
            .or(parts.first().map(|part| &part.columns))?
            .clone();
        // Rows of blocks, each with its row count.
        let mut rows: Vec<(Atom, Vec<Id>)> = vec![];
        for part in parts {
            for (row, atom) in part.rows.iter().enumerate() {
                let mut ids = vec![];
                for (column, columns) in columns.iter().enumerate() {
                    let id = part.broadcast_at(row, column)?;
                    let mut shape = BlockShape::new(*atom, *columns);
                    if !shape.has_heads() {
                        shape = shape.with_heads(self.graph[id].shape.heads);
                    }
                    ids.push(self.graph.expand(id, shape));
                }
                rows.push((*atom, ids));
            }
        }
        if rows.len() * columns.len() > LARGEST {
            self.is_too_large = true;
            return None;
        }
        let mut grid = Grid { rows: vec![], columns, blocks: vec![] };
        let mut rest = rows.as_slice();
        while let Some((atom, ids)) = rest.first() {
            let run = match atom {
                Atom::Literal(_) => {
                    rest.iter().take_while(|(atom, _)| matches!(atom, Atom::Literal(_))).count()
                }
                Atom::Name(_) | Atom::Product(..) => 1,
            };
            let total = Dim::sum(rest[..run].iter().map(|(atom, _)| *atom));
            grid.rows.push(total.atoms()[0]);
            for column in 0..ids.len() {
                let stacked = rest[..run].iter().map(|(_, ids)| ids[column]).collect();
                grid.blocks.push(self.graph.concat(stacked));
            }
            rest = &rest[run..];
        }
        Some(grid)
    }
}
