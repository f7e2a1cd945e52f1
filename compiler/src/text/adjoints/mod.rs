//! The backward equations as text, one per line: `x_bar` is the cotangent of `x`, `Σ` a sum over
//! steps and samples.
//!
//! The text is complete together with the equations: each name is declared, defined by an equation,
//! or defined by an earlier line. Values that the forward pass computes within an equation
//! (`tanh(c)`) are written out. Only long ones that are used twice get separate lines, before all
//! others. If an equation is called `B_bar`, as in state-space models, the cotangent of `B` is
//! `B_cotangent`.

#[cfg(test)]
mod tests;

use crate::analysis::past::Past;
use crate::analysis::shapes::Shaped;
use crate::dim::Shape;
use crate::graph::grid::{block_name, positions};
use crate::graph::ir::{Earlier, Graph, Id, Op, Piece, Reach};
use crate::graph::text::{Writer, bare};
use crate::lower::names::declared_name;
use crate::plan::Plan;
use crate::syntax::ast::Cell;
use std::collections::{HashMap, HashSet};

/// The number of operands from which a value that is used twice gets its own line.
const LONG: usize = 4;
/// The number of uses from which any value gets its own line, except for functions of a name.
const OFTEN: usize = 4;
/// The largest number of operands in one line. A longer value is split into several lines.
const LONGEST: usize = 24;

/// Returns the backward equations, one per line.
pub fn adjoints(definition: Shaped, past: &Past, plan: &Plan) -> String {
    let names = &plan.names;
    let graph = &plan.graph;
    let known = Known::of(definition);
    let results = Results::of(definition, plan, &known);
    let is_primal = |id: Id| plan.forward.schedule.region[id.index()].is_some();
    let is_derived = |id: Id| plan.backward.schedule.region[id.index()].is_some() && !is_primal(id);
    // Values that have a name for the reader: cotangents of named values among them.
    let is_named = |id: Id| {
        let node = &graph[id];
        if node.op.is_leaf() {
            return !graph.is_constant(id);
        }
        results.names.contains_key(&id)
            || node.name.as_ref().is_some_and(|name| known.equations.contains_key(name) || is_derived(id))
    };
    let lines: Vec<Id> = graph
        .ids()
        .filter(|id| {
            graph[*id].op != Op::Reshape && !graph[*id].op.is_leaf() && is_derived(*id) && is_named(*id)
        })
        .collect();
    let separate = values_on_own_lines(graph, &lines, is_named);

    let name = |id: Id| -> Option<String> {
        if let Some(name) = results.names.get(&id) {
            return Some(name.clone());
        }
        match &graph[id].op {
            Op::Previous(piece) => {
                Some(format!("{}[t-1]", declared_name(definition.cell, definition.shapes, *piece)))
            }
            Op::CarryBar(piece) => {
                let of = declared_name(definition.cell, definition.shapes, *piece);
                Some(known.cotangent(&of).unwrap_or_else(|| format!("{of}_bar")) + "[t]")
            }
            Op::Past(earlier) => {
                let of = past.values[earlier.piece.of].block_name(earlier.piece);
                Some(format!("{of}{}", index(definition.cell, earlier.reach)))
            }
            Op::PastBar { piece, ring } => Some(later_cotangents(definition.cell, plan, *piece, *ring)),
            Op::OutputBar(piece) => {
                let (rows, columns) = plan.output_shapes.get(piece.of)?;
                let name = definition.cell.outputs.get(piece.of)?.to_string();
                let block = block_name(&name, (rows.len(), columns.len()), piece.row, piece.column);
                Some(format!("{block}_out_bar"))
            }
            _ if !is_named(id) => separate.contains(&id).then(|| names.text(id).to_owned()),
            _ => {
                let of = graph[id].name.as_ref().filter(|_| is_derived(id));
                let cotangent = of.and_then(|name| known.cotangent(name.strip_suffix("_bar")?));
                Some(cotangent.unwrap_or_else(|| names.text(id).to_owned()))
            }
        }
    };
    let of_declaration = |index: usize| definition.shapes.declarations[index].as_ref().is_some_and(is_row);
    let is_known_as_row = |id: Id| match &graph[id].op {
        Op::Read(piece) | Op::Previous(piece) | Op::CarryBar(piece) => of_declaration(piece.of),
        Op::Past(Earlier { piece, .. }) | Op::PastBar { piece, .. } => is_row(&past.values[piece.of].shape),
        _ => match graph[id].name.as_ref().and_then(|name| known.equations.get(name)) {
            Some(is_row) => *is_row,
            None => graph[id].shape.is_row(),
        },
    };
    // A row and the vector that shares its memory are one value. The user's name refers to the
    // shape in the user's equation.
    let called = |id: Id| -> Option<String> {
        let storage = graph.storage(id);
        let name = name(storage)?;
        let is_transposed =
            !graph[id].shape.is_scalar() && graph[id].shape.is_row() != is_known_as_row(storage);
        Some(if is_transposed { format!("{name}.T") } else { name })
    };
    let dims = definition.dim_names();
    let writer = Writer::new(graph, &dims, &called);

    let mut text = String::new();
    let is_separate = |id: &Id| separate.contains(id) && is_primal(*id);
    let is_line = |id: &Id| lines.binary_search(id).is_ok() || separate.contains(id) && !is_primal(*id);
    for id in graph.ids().filter(is_separate).chain(graph.ids().filter(is_line)) {
        if let Some(name) = name(id) {
            text.push_str(&format!("{name} = {}\n", writer.definition(id)));
        }
    }
    for (name, id) in &results.others {
        text.push_str(&format!("{name} = {}\n", bare(&writer.expression(*id))));
    }
    text
}

/// Writes the time index of an earlier value: `[t-2]`, `[t-2*D]`.
fn index(cell: &Cell, reach: Reach) -> String {
    match reach {
        Reach::Delay { count, dimension: None } => format!("[t-{count}]"),
        Reach::Delay { count: 1, dimension: Some(dimension) } => {
            format!("[t-{}]", cell.dimensions[dimension])
        }
        Reach::Delay { count, dimension: Some(dimension) } => {
            format!("[t-{count}*{}]", cell.dimensions[dimension])
        }
        Reach::Window { .. } => String::new(),
    }
}

/// Writes the cotangent of a value from the reads of later steps. `columns` adds up the columns of
/// later windows that hold the value.
fn later_cotangents(cell: &Cell, plan: &Plan, piece: Piece, ring: usize) -> String {
    let pushes = plan.pushes.iter().filter(|push| push.earlier.piece == piece && push.earlier.ring == ring);
    let terms: Vec<String> = pushes
        .map(|push| {
            let name = plan.names.text(push.id);
            match push.earlier.reach {
                Reach::Window { .. } => format!("columns({name}[t+1])"),
                reach => format!("{name}{}", index(cell, reach).replace("[t-", "[t+")),
            }
        })
        .collect();
    match terms.as_slice() {
        [] => "0".to_owned(),
        [term] => term.clone(),
        _ => format!("({})", terms.join(" + ")),
    }
}

/// The cotangents that the backward pass returns, each named after its value.
struct Results {
    names: HashMap<Id, String>,
    /// Cotangents that equal another one, such as those of a second bias or of an input that is an
    /// output.
    others: Vec<(String, Id)>,
}

impl Results {
    fn of(definition: Shaped, plan: &Plan, known: &Known) -> Self {
        let graph = &plan.graph;
        let mut results = Results { names: HashMap::new(), others: vec![] };
        for (list, time) in [
            (&plan.gradients, ""),
            (&plan.context_bars, ""),
            (&plan.input_bars, ""),
            (&plan.carries, "[t-1]"),
        ] {
            for bound in list {
                let id = graph.storage(bound.id);
                let of = declared_name(definition.cell, definition.shapes, bound.piece);
                let name = known.cotangent(&of).unwrap_or_else(|| format!("{of}_bar")) + time;
                if graph[id].op.is_leaf() || results.names.contains_key(&id) {
                    results.others.push((name, id));
                } else {
                    results.names.insert(id, name);
                }
            }
        }
        results
    }
}

fn is_row(shape: &Shape) -> bool {
    shape.rows.is_one() && !shape.columns.is_one()
}

/// The names that the reader knows from equations and declarations.
struct Known {
    /// A flag for each block of an equation, by name: the reader knows it as a row.
    equations: HashMap<String, bool>,
    declared: HashSet<String>,
}

impl Known {
    fn of(definition: Shaped) -> Self {
        let mut equations = HashMap::new();
        for (equation, shapes) in definition.cell.equations.iter().zip(&definition.shapes.targets) {
            for (target, shape) in equation.targets.iter().zip(shapes) {
                let Some(shape) = shape else { continue };
                for (row, column) in positions(shape.blocks()) {
                    let name = block_name(&target.to_string(), shape.blocks(), row, column);
                    equations.insert(name, is_row(shape));
                }
            }
        }
        let declared =
            definition.cell.declarations.iter().map(|declared| declared.name.to_string()).collect();
        Known { equations, declared }
    }

    /// Returns the name of the cotangent of `of` if `of_bar` is taken.
    fn cotangent(&self, of: &str) -> Option<String> {
        let usual = format!("{of}_bar");
        let is_taken = self.equations.contains_key(&usual) || self.declared.contains(&usual);
        is_taken.then(|| format!("{of}_cotangent"))
    }
}

/// Returns the values without a name that get their own lines.
fn values_on_own_lines(graph: &Graph, lines: &[Id], is_named: impl Fn(Id) -> bool) -> HashSet<Id> {
    // These operations are written as their argument alone.
    let seen = |mut id: Id| {
        while matches!(graph[id].op, Op::Expand | Op::StopGradient | Op::Copy(_) | Op::Reshape)
            && !is_named(id)
        {
            id = graph[id].args[0];
        }
        id
    };
    let mut is_written = vec![false; graph.len()];
    let mut stack = lines.to_vec();
    while let Some(id) = stack.pop() {
        if !std::mem::replace(&mut is_written[id.index()], true) {
            stack.extend(graph[id].args.iter().map(|arg| seen(*arg)).filter(|arg| !is_named(*arg)));
        }
    }
    let written = || graph.ids().filter(|id| is_written[id.index()]);
    let mut uses = vec![0; graph.len()];
    for arg in written().flat_map(|id| &graph[id].args) {
        uses[seen(*arg).index()] += 1;
    }
    let mut lengths = vec![1; graph.len()];
    let mut separate = HashSet::new();
    for id in written().filter(|id| !is_named(*id)) {
        let args = graph[id].args.iter().map(|arg| lengths[seen(*arg).index()]);
        let length = args.sum::<usize>().max(1);
        let uses = uses[id.index()];
        let is_long = length > LONGEST || length >= LONG && uses > 1 || length > 1 && uses >= OFTEN;
        if is_long && !graph.is_constant(id) && !graph[id].op.is_leaf() {
            separate.insert(id);
        } else {
            lengths[id.index()] = length;
        }
    }
    separate
}
