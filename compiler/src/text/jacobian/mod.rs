//! The Jacobian as text, one line per derivative: `∂h/∂h[t-1] = diag(1 - h * h) @ U`.
//!
//! Between vectors and scalars the derivative is a matrix, written with the operators of the
//! language: `diag(f)` is the matrix with `f` on its diagonal, `I` the identity, `ones` a column of
//! ones. If either state is a matrix, the derivative is not a matrix. Its line then gives the
//! effect of a small change of the old state: `∂S/∂S[t-1](δS) = f * δS`.

#[cfg(test)]
mod tests;

use crate::analysis::past::Past;
use crate::analysis::reads::visit;
use crate::analysis::shapes::Shaped;
use crate::dim::Atom;
use crate::graph::ir::{Graph, Id, Op, Piece};
use crate::graph::ops::{self, ShapeRule};
use crate::graph::text::{Writer, bare};
use crate::lower::jacobian::{Factor, Jacobian, Line, Of, Term};
use crate::lower::names::{ValueNames, declared_name};
use crate::syntax::ast::{Cell, ExprKind};
use std::collections::HashSet;

/// Returns all lines, or the reason why there are none.
pub fn text(definition: Shaped, past: &Past, jacobian: Option<&Jacobian>) -> String {
    match jacobian {
        Some(jacobian) => write(definition, jacobian),
        None => absence(definition.cell, past).unwrap_or_default().to_owned(),
    }
}

/// Returns the reason why the Jacobian of a cell has no text, or `None` if it has a text.
pub fn absence(cell: &Cell, past: &Past) -> Option<&'static str> {
    if !past.is_empty() {
        Some("The cell reads earlier steps, which are part of its state: its Jacobian has no text.")
    } else if !cell.heads.is_empty() {
        Some(
            "The states of the cell have heads, which its equations have no index for: its Jacobian has no text.",
        )
    } else if uses_parts(cell) {
        Some(
            "The cell divides vectors into parts or joins parts, for which its equations have no index: its Jacobian has no text.",
        )
    } else {
        None
    }
}

/// Returns whether an equation calls a function of the parts of a vector.
fn uses_parts(cell: &Cell) -> bool {
    let mut found = false;
    let bodies = cell.equations.iter().map(|equation| &equation.value);
    for body in bodies {
        visit(body, &mut |part| {
            let ExprKind::Call { function, .. } = &part.kind else { return };
            let operation = ops::find(&function.to_string());
            found |= operation.is_some_and(|operation| {
                matches!(operation.shape, ShapeRule::Blocks | ShapeRule::Heads | ShapeRule::Vec)
            });
        });
    }
    found
}

/// Returns all lines, preceded by the equations of values that the user has not named.
pub fn write(definition: Shaped, jacobian: &Jacobian) -> String {
    let graph = &jacobian.graph;
    let names = ValueNames::new(definition.cell, definition.shapes, &Past::default(), graph);
    let separate = values_on_own_lines(jacobian);
    let name = |id: Id| -> Option<String> {
        match &graph[id].op {
            Op::Previous(piece) => {
                Some(format!("{}[t-1]", declared_name(definition.cell, definition.shapes, *piece)))
            }
            op if op.is_leaf() && !graph.is_constant(id) => Some(names.text(id).to_owned()),
            _ => (jacobian.named.contains(&id) || separate.contains(&id)).then(|| names.text(id).to_owned()),
        }
    };
    let is_row = |id: Id| match &graph[id].op {
        Op::Read(piece) | Op::Previous(piece) => {
            let shape = definition.shapes.declarations[piece.of].as_ref();
            shape.is_some_and(|shape| shape.rows.is_one() && !shape.columns.is_one())
        }
        _ => jacobian.rows.contains(&id),
    };
    // A row and the vector that shares its memory are one value. The user's name refers to the
    // shape in the user's equation.
    let called = |id: Id| -> Option<String> {
        let storage = graph.storage(id);
        let name = name(storage)?;
        let is_transposed = graph[id].shape.is_row() != (is_row(storage) && !graph[id].shape.is_scalar());
        Some(if is_transposed { format!("{name}.T") } else { name })
    };
    let dims = definition.dim_names();
    let writer = Writer::new(graph, &dims, &called);
    let printer = Printer { definition, jacobian, names: &names, writer: &writer };

    let mut text = String::new();
    for id in graph.ids().filter(|id| separate.contains(id)) {
        text.push_str(&format!("{} = {}\n", names.text(id), writer.definition(id)));
    }
    for line in &jacobian.lines {
        text.push_str(&printer.line(line));
        text.push('\n');
    }
    text
}

/// Returns the values without a user's name whose equations precede the lines: those that have
/// lines, and long ones that would be written more than once.
fn values_on_own_lines(jacobian: &Jacobian) -> HashSet<Id> {
    // In operands.
    const LONG: usize = 4;
    const LONG_COEFFICIENT: usize = 6;
    let graph = &jacobian.graph;
    let coefficients = jacobian.lines.iter().flat_map(|line| &line.terms).flat_map(|term| &term.factors);
    let roots: Vec<Id> = coefficients
        .filter_map(|factor| match factor {
            Factor::Scale(of) | Factor::Left { of, .. } | Factor::Right { of, .. } => Some(*of),
            _ => None,
        })
        .collect();
    let with_lines: HashSet<Id> = jacobian.lines.iter().map(|line| line.of.value()).collect();
    let ends = |id: Id| graph[id].op.is_leaf() || jacobian.named.contains(&id);

    let is_written = written(graph, roots.iter().chain(&with_lines).copied(), ends);
    let (mut uses, mut lengths) = (vec![0; graph.len()], vec![1; graph.len()]);
    roots.iter().for_each(|root| uses[root.index()] += 1);
    let mut separate = HashSet::new();
    for id in graph.ids().filter(|id| is_written[id.index()] && !ends(*id)) {
        graph[id].args.iter().for_each(|arg| uses[arg.index()] += 1);
    }
    for id in graph.ids().filter(|id| is_written[id.index()] && !ends(*id)) {
        let index = id.index();
        lengths[index] = graph[id].args.iter().map(|arg| lengths[arg.index()]).sum::<usize>().max(1);
        let long = if index < jacobian.end { LONG } else { LONG_COEFFICIENT };
        let is_long = uses[index] > 1 && lengths[index] >= long;
        if with_lines.contains(&id) || is_long && graph[id].op != Op::Reshape {
            lengths[index] = 1;
            separate.insert(id);
        }
    }
    separate
}

/// Marks the nodes that are written for `roots`, down to those where it `ends`.
fn written(graph: &Graph, roots: impl Iterator<Item = Id>, ends: impl Fn(Id) -> bool) -> Vec<bool> {
    let mut marked = vec![false; graph.len()];
    let mut stack: Vec<Id> = roots.collect();
    while let Some(id) = stack.pop() {
        if !std::mem::replace(&mut marked[id.index()], true) && !ends(id) {
            stack.extend(&graph[id].args);
        }
    }
    marked
}

struct Printer<'a> {
    definition: Shaped<'a>,
    jacobian: &'a Jacobian,
    names: &'a ValueNames,
    writer: &'a Writer<'a>,
}

/// An expression, and whether it contains an operator that binds no more tightly than `@` and `*`.
struct Product {
    text: String,
    is_atom: bool,
}

impl Product {
    fn atom(text: String) -> Self {
        Product { text, is_atom: true }
    }

    fn of(text: String) -> Self {
        Product { text, is_atom: false }
    }

    fn closed(&self) -> String {
        if self.is_atom { self.text.clone() } else { format!("({})", self.text) }
    }
}

impl Printer<'_> {
    fn line(&self, line: &Line) -> String {
        let ratio = self.ratio(line.of, line.by);
        if line.terms.is_empty() {
            return format!("{ratio} = 0");
        }
        let matrices: Option<Vec<String>> =
            line.terms.iter().map(|term| self.matrix(term, line.by)).collect();
        let (left, terms) = match matrices.filter(|_| self.is_matrix(line.of.value(), line.by)) {
            Some(terms) => (ratio, terms),
            None => {
                let terms = line.terms.iter().map(|term| self.change(term, line.by).text).collect();
                (self.applied(line.of.value(), ratio, line.by), terms)
            }
        };
        let mut right = String::new();
        for (term, text) in line.terms.iter().zip(&terms) {
            right.push_str(match (term.is_negative, right.is_empty()) {
                (false, true) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (true, false) => " - ",
            });
            right.push_str(text);
        }
        format!("{left} = {right}")
    }

    fn state(&self, piece: Piece) -> String {
        declared_name(self.definition.cell, self.definition.shapes, piece)
    }

    fn ratio(&self, of: Of, by: Piece) -> String {
        let name = match of {
            Of::State { piece, .. } => self.state(piece),
            Of::Value(id) => self.names.text(id).to_owned(),
        };
        format!("∂{name}/∂{}[t-1]", self.state(by))
    }

    /// Returns whether the derivative of a value with respect to a block of a state is a matrix.
    fn is_matrix(&self, of: Id, by: Piece) -> bool {
        let is_column = |columns: &[Atom]| columns == [Atom::ONE];
        let state = self.definition.shapes.declarations[by.of].as_ref();
        self.jacobian.graph[of].shape.columns == Atom::ONE
            && state.is_some_and(|shape| is_column(shape.columns.atoms()))
    }

    /// Writes a derivative applied to a change of the state.
    fn applied(&self, of: Id, ratio: String, by: Piece) -> String {
        let change = format!("δ{}", self.state(by));
        if self.is_matrix(of, by) { format!("{ratio} @ {change}") } else { format!("{ratio}({change})") }
    }

    /// Writes a coefficient as a factor of a product. The writer leaves only products of matrices
    /// without parentheses.
    fn closed(&self, id: Id) -> String {
        let text = self.writer.expression(id);
        let is_open = matches!(
            self.jacobian.graph[self.jacobian.graph.storage(id)].op,
            Op::MatMul { .. } | Op::Gather { .. }
        );
        if is_open && text.contains(" @ ") { format!("({text})") } else { text }
    }

    fn oriented(&self, id: Id, transposed: bool) -> String {
        let text = self.closed(id);
        if transposed { format!("{text}.T") } else { text }
    }

    /// Writes a term without its sign as a product of matrices. Returns `None` if one of its
    /// factors is not a matrix.
    fn matrix(&self, term: &Term, by: Piece) -> Option<String> {
        let graph = &self.jacobian.graph;
        if term.base.is_some_and(|base| !self.is_matrix(base, by)) {
            return None;
        }
        // Scalars commute with everything, so they come first.
        let (mut scalars, mut matrices): (Vec<String>, Vec<String>) = (vec![], vec![]);
        let mut rest = term.factors.as_slice();
        while let Some((factor, after)) = rest.split_first() {
            rest = after;
            match (factor, after) {
                (Factor::Scale(by), _) if graph[*by].shape.is_scalar() => scalars.push(self.closed(*by)),
                // A column times the derivative of a scalar, which is a row.
                (Factor::Scale(by), [Factor::Expand { from, .. }, after @ ..]) if from.is_scalar() => {
                    matrices.push(self.closed(*by));
                    rest = after;
                }
                (Factor::Scale(by), _) if graph[*by].shape.columns == Atom::ONE => {
                    matrices.push(format!("diag({})", bare(&self.writer.expression(*by))));
                }
                (Factor::Sum, [Factor::Scale(by), after @ ..])
                    if graph[*by].shape.columns == Atom::ONE && !graph[*by].shape.is_scalar() =>
                {
                    matrices.push(self.oriented(*by, true));
                    rest = after;
                }
                (Factor::Sum, _) => matrices.push("ones.T".to_owned()),
                (Factor::Expand { from, to }, _) if from.is_scalar() && to.columns == Atom::ONE => {
                    matrices.push("ones".to_owned());
                }
                (Factor::Left { of, transposed }, _) => matrices.push(self.oriented(*of, *transposed)),
                // A row and the vector that shares its memory are the same.
                (Factor::Reshape(_), _) => {}
                _ => return None,
            }
        }
        match term.base {
            Some(base) => matrices.push(self.ratio(Of::Value(base), by)),
            None if matrices.is_empty() && self.is_scalar(by) && !scalars.is_empty() => {}
            None if matrices.is_empty() => {
                matrices.push(if self.is_scalar(by) { "1" } else { "I" }.to_owned())
            }
            None => {}
        }
        if !matrices.is_empty() {
            scalars.push(matrices.join(" @ "));
        }
        Some(scalars.join(" * "))
    }

    /// Returns whether a block of a state has one entry.
    fn is_scalar(&self, by: Piece) -> bool {
        let shape = self.definition.shapes.declarations[by.of].as_ref();
        shape.is_some_and(|shape| shape.rows.atoms().get(by.row) == Some(&Atom::ONE))
    }

    /// Writes a term without its sign, applied to a change of the state.
    fn change(&self, term: &Term, by: Piece) -> Product {
        let mut product = match term.base {
            None => Product::atom(format!("δ{}", self.state(by))),
            Some(base) => {
                let text = self.applied(base, self.ratio(Of::Value(base), by), by);
                if self.is_matrix(base, by) { Product::of(text) } else { Product::atom(text) }
            }
        };
        for factor in term.factors.iter().rev() {
            product = self.apply(factor, product);
        }
        product
    }

    fn apply(&self, factor: &Factor, to: Product) -> Product {
        match factor {
            Factor::Scale(by) => Product::of(format!("{} * {}", self.closed(*by), to.closed())),
            Factor::Left { of, transposed } => {
                Product::of(format!("{} @ {}", self.oriented(*of, *transposed), to.closed()))
            }
            Factor::Right { of, transposed } => {
                Product::of(format!("{} @ {}", to.closed(), self.oriented(*of, *transposed)))
            }
            Factor::Transpose | Factor::Reshape(_) => Product::atom(format!("{}.T", to.closed())),
            Factor::Expand { .. } => to,
            Factor::Sum => Product::atom(format!("sum({})", to.text)),
            Factor::RowSum => Product::atom(format!("row_sum({})", to.text)),
            Factor::ColumnSum => Product::atom(format!("row_sum({}.T)", to.closed())),
            Factor::Gather { index, .. } => Product::of(format!("{} @ {}", to.closed(), self.closed(*index))),
            Factor::Place { start, rows, shape } => {
                let zeros = |rows: u64| (rows > 0).then(|| format!("zeros({rows})"));
                let rest = shape.rows.literal().saturating_sub(start + rows);
                let parts: Vec<String> =
                    [zeros(*start), Some(to.text), zeros(rest)].into_iter().flatten().collect();
                Product::atom(format!("[{}]", parts.join(", ")))
            }
            Factor::Slice { start, count } => Product::atom(format!("rows({}, {start}, {count})", to.text)),
        }
    }
}
