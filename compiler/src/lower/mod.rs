//! Lowering of the checked definition to the graph.
//!
//! A value whose dimensions are sums is a grid of blocks, one per pair of terms. Stacking and
//! splitting only change which blocks a grid holds, and cost nothing.

mod heads;
mod inner_names;
pub mod jacobian;
pub mod names;

use crate::analysis::resolve::{Callee, Resolved, Symbol, Target};
use crate::analysis::shapes::Shapes;
use crate::diagnostics::Diagnostics;
use crate::dim::{Atom, Dim, Shape};
use crate::graph::grid::{Grid, piece_name};
use crate::graph::ir::{BlockShape, Graph, Id, Level, Op, Piece};
use crate::syntax::ast::{BinaryOp, Cell, DeclarationKind, Expr, ExprKind, Time};
use std::collections::HashMap;

/// The definition as graphs.
#[derive(Debug)]
pub struct Lowered {
    /// The graph of one step.
    pub graph: Graph,
    /// The value of each target of each equation. Within a block of heads it has the shape of one
    /// head.
    pub targets: Vec<Vec<Grid>>,
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

/// Lowers a definition. None for one that exceeds `LARGEST`, which is reported.
pub fn lower(
    cell: &Cell,
    resolved: &Resolved,
    shapes: &Shapes,
    diagnostics: &mut Diagnostics,
) -> Option<Lowered> {
    let mut lowering = Lowering::new(cell, resolved, shapes);
    for &equation in &resolved.order {
        let value = &cell.equations[equation].value;
        lowering.block = cell.equations[equation].block;
        let lowered = lowering.expr(value);
        if lowering.is_too_large {
            report_size(value, diagnostics);
        }
        lowering.define(equation, lowered?)?;
    }
    inner_names::suggest(&mut lowering.graph, &resolved.order, &lowering.targets);
    let outputs = resolved.outputs.iter().map(|target| lowering.output((*target)?)).collect();
    let (graph, targets) = (lowering.graph, lowering.targets);

    let mut lowering = Lowering::new(cell, resolved, shapes);
    let mut initial = vec![];
    for (index, declaration) in cell.declarations.iter().enumerate() {
        if let (DeclarationKind::State, Some(value)) = (declaration.kind, &declaration.initial) {
            lowering.block = declaration.block;
            let lowered = lowering.initial(index, value);
            if lowering.is_too_large {
                report_size(value, diagnostics);
            }
            let value = lowered?;
            for (row, column, id) in value.pieces() {
                lowering
                    .graph
                    .suggest_name(id, &piece_name(&declaration.name.to_string(), &value, row, column));
            }
            initial.push((index, value));
        }
    }
    Some(Lowered { graph, targets, outputs, initial_graph: lowering.graph, initial })
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
    graph: Graph,
    targets: Vec<Vec<Grid>>,
    /// The block of heads that contains the current equation or declaration.
    block: Option<usize>,
    /// The arguments of the user's function that is being expanded.
    arguments: Vec<Grid>,
    /// The results of the user's functions by arguments. Without them, functions that call each
    /// other twice would be expanded exponentially often.
    expanded: HashMap<(usize, Vec<Vec<Id>>), Grid>,
    is_too_large: bool,
}

impl<'a> Lowering<'a> {
    fn new(cell: &'a Cell, resolved: &'a Resolved, shapes: &'a Shapes) -> Self {
        let targets = cell.equations.iter().map(|_| vec![]).collect();
        Lowering {
            cell,
            resolved,
            shapes,
            graph: Graph::default(),
            targets,
            block: None,
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
            if self.resolved.state_of(Target { equation: index, index: position }).is_some() {
                self.give_heads(value);
            }
        }
        for (target, value) in equation.targets.iter().zip(&values) {
            let name = target.to_string();
            for (row, column, id) in value.pieces() {
                let id = self.graph.storage(id);
                self.graph.suggest_name(id, &piece_name(&name, value, row, column));
            }
        }
        self.targets[index] = values;
        Some(())
    }

    /// Splits a value into one part per term, or a literal into one part per row.
    fn split(&mut self, value: &Grid, count: usize) -> Option<Vec<Grid>> {
        if value.rows.len() == count {
            let columns = value.columns.len();
            return Some(
                value
                    .rows
                    .iter()
                    .enumerate()
                    .map(|(row, atom)| Grid {
                        rows: vec![*atom],
                        columns: value.columns.clone(),
                        blocks: value.blocks[row * columns..(row + 1) * columns].to_vec(),
                    })
                    .collect(),
            );
        }
        let [Atom::Literal(rows)] = value.rows[..] else { return None };
        if rows != count as u64 {
            return None;
        }
        let mut parts = vec![];
        for row in 0..rows {
            let blocks = value.blocks.iter().map(|id| self.graph.slice(*id, row, 1)).collect();
            parts.push(Grid { rows: vec![Atom::ONE], columns: value.columns.clone(), blocks });
        }
        Some(parts)
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
                let shape = BlockShape::new(*rows, *columns);
                blocks.push(self.graph.expand(block, self.with_heads(shape, self.block)));
            }
        }
        Some(Grid { rows: shape.rows.atoms().to_vec(), columns: shape.columns.atoms().to_vec(), blocks })
    }

    fn declared(&mut self, index: usize, previous: bool) -> Option<Grid> {
        let level = match self.cell.declarations[index].kind {
            DeclarationKind::Param | DeclarationKind::Buffer => Level::Param,
            DeclarationKind::Context => Level::Context,
            DeclarationKind::Input | DeclarationKind::State => Level::Time,
        };
        let Shape { rows, columns } = self.shapes.declarations[index].clone()?;
        let block = self.cell.declarations[index].block;
        let mut blocks = vec![];
        for (row, row_atom) in rows.atoms().iter().enumerate() {
            for (column, column_atom) in columns.atoms().iter().enumerate() {
                let piece = Piece { of: index, row, column };
                let op = if previous { Op::Previous(piece) } else { Op::Read(piece) };
                let shape = self.with_heads(BlockShape::new(*row_atom, *column_atom), block);
                blocks.push(self.graph.leaf(op, shape, level));
            }
        }
        Some(Grid { rows: rows.atoms().to_vec(), columns: columns.atoms().to_vec(), blocks })
    }

    fn one_hot(&self, expr: &Expr) -> Option<usize> {
        match (&expr.kind, self.resolved.symbols.get(expr.id)) {
            (ExprKind::Name { .. }, Some(Some(Symbol::Declaration(index)))) => {
                self.shapes.one_hot[*index].is_some().then_some(*index)
            }
            _ => None,
        }
    }

    fn expr(&mut self, expr: &Expr) -> Option<Grid> {
        match &expr.kind {
            ExprKind::Number(value) => {
                let id = self.graph.constant(*value);
                Some(Grid::single(&self.graph, id))
            }
            ExprKind::Name { time, .. } => self.name(expr.id, *time),
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
                    Some(input) => self.gather(&a, input),
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
            ExprKind::Compare { .. } | ExprKind::RustPath(_) | ExprKind::Error => None,
        }
    }

    fn name(&mut self, id: usize, _time: Time) -> Option<Grid> {
        match self.resolved.symbols[id]? {
            Symbol::Declaration(index) => {
                let value = self.declared(index, false)?;
                self.seen_from_here(value, self.cell.declarations[index].block)
            }
            Symbol::Previous(index) => {
                let value = self.declared(index, true)?;
                self.seen_from_here(value, self.cell.declarations[index].block)
            }
            Symbol::Target(Target { equation, index }) => {
                let value = self.targets[equation].get(index).cloned()?;
                self.seen_from_here(value, self.cell.equations[equation].block)
            }
            Symbol::Dimension(index) => {
                let id = self.graph.size(Dim::sum([Atom::Name(index)]));
                Some(Grid::single(&self.graph, id))
            }
            Symbol::Argument(index) => self.arguments.get(index).cloned(),
        }
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
                let ExprKind::Compare { op, left, right, .. } = &condition.kind else { return None };
                let (a, b) = (self.expr(left)?, self.expr(right)?);
                let (u, v) = (self.expr(then)?, self.expr(otherwise)?);
                Grid::elementwise(&mut self.graph, &[&a, &b, &u, &v], |graph, ids| {
                    graph.select(*op, [ids[0], ids[1], ids[2], ids[3]])
                })
            }
            Callee::BuiltIn(operation) => {
                let values =
                    arguments.iter().map(|argument| self.expr(argument)).collect::<Option<Vec<_>>>()?;
                operation.lower(&mut self.graph, &values)
            }
        }
    }

    fn matmul(&mut self, a: &Grid, b: &Grid) -> Option<Grid> {
        // A scalar factor is not a matrix, whatever the size of the other factor.
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
                    if a.columns[k].is_of_heads() {
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

    /// Lowers `E @ w` for a one-hot input: gathers columns of the blocks of E. Each block counts
    /// from its first column.
    fn gather(&mut self, e: &Grid, input: usize) -> Option<Grid> {
        let one_hot =
            self.graph.read(Piece { of: input, row: 0, column: 0 }, BlockShape::SCALAR, Level::Time);
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
                Atom::Name(_) | Atom::Heads(..) => 1,
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
