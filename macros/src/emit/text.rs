//! Values as text that a person can check against a paper: the equations, forward and derived.

use crate::dim::Atom;
use crate::ir::{Graph, Id, Op};
use crate::syntax::ast::Comparison;
use std::cell::Cell;

/// Without the parentheses around the whole.
pub fn bare(text: &str) -> &str {
    let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    match inner {
        Some(inner) if is_balanced(inner) => inner,
        _ => text,
    }
}

fn is_balanced(text: &str) -> bool {
    let mut depth = 0i32;
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

pub fn comparison(op: Comparison) -> &'static str {
    match op {
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
    }
}

/// Nodes of one right-hand side that are written out; a value that is used twice without a name is written twice,
/// which doubles with each level.
const LONGEST: usize = 400;

/// Writes nodes as expressions; named ones by their names.
pub struct Writer<'a> {
    pub graph: &'a Graph,
    pub dims: &'a [String],
    /// The name of a value, if it is written by name.
    pub name: &'a dyn Fn(Id) -> Option<String>,
    written: Cell<usize>,
}

impl<'a> Writer<'a> {
    pub fn new(graph: &'a Graph, dims: &'a [String], name: &'a dyn Fn(Id) -> Option<String>) -> Self {
        Writer { graph, dims, name, written: Cell::new(0) }
    }
}

impl Writer<'_> {
    /// The right-hand side of a value's equation.
    pub fn definition(&self, id: Id) -> String {
        self.written.set(0);
        bare(&self.operation(id)).to_owned()
    }

    /// A value within an expression: its name, or what it is, in parentheses where an operator stands between its parts.
    pub fn expression(&self, id: Id) -> String {
        self.written.set(0);
        self.value(id)
    }

    fn value(&self, id: Id) -> String {
        self.written.set(self.written.get() + 1);
        match (self.name)(id) {
            Some(name) => name,
            None if self.written.get() > LONGEST => "..".to_owned(),
            None => self.operation(id),
        }
    }

    fn operation(&self, id: Id) -> String {
        let node = &self.graph[id];
        let arg = |index: usize| node.args.get(index).map_or(String::new(), |arg| self.value(*arg));
        let turned = |index: usize, flag: bool| if flag { format!("{}.T", arg(index)) } else { arg(index) };
        match &node.op {
            Op::Number(bits) => format!("{}", f64::from_bits(*bits)),
            Op::Size(dim) => {
                let text = dim.display(self.dims);
                if dim.atoms().len() > 1 { format!("({text})") } else { text }
            }
            Op::Unary(op) => op.text(&arg(0)),
            Op::Binary(op) => op.text(&arg(0), &arg(1)),
            Op::Select(op) => format!(
                "where({} {} {}, {}, {})",
                arg(0),
                comparison(*op),
                arg(1),
                bare(&arg(2)),
                bare(&arg(3))
            ),
            Op::MatMul { ta, tb } => format!("{} @ {}", turned(0, *ta), turned(1, *tb)),
            Op::Transpose => format!("{}.T", arg(0)),
            Op::Reshape if self.graph[node.args[0]].shape.columns == Atom::ONE => format!("{}.T", arg(0)),
            Op::Expand | Op::StopGradient | Op::Copy(_) | Op::Reshape => arg(0),
            Op::Gather { .. } => format!("{} @ {}", arg(0), arg(1)),
            Op::Scatter { .. } => format!("{} @ {}.T", arg(0), arg(1)),
            Op::Sum => format!("sum({})", bare(&arg(0))),
            Op::RowSum => format!("row_sum({})", bare(&arg(0))),
            Op::ColumnSum => format!("row_sum({}.T)", arg(0)),
            Op::Maximum => format!("max_entry({})", bare(&arg(0))),
            Op::Concat => {
                let parts: Vec<String> =
                    (0..node.args.len()).map(|index| bare(&arg(index)).to_owned()).collect();
                format!("[{}]", parts.join(", "))
            }
            Op::Slice { start, count } => format!("rows({}, {start}, {count})", bare(&arg(0))),
            Op::Accumulate => format!("Σ {}", arg(0)),
            Op::Read(_) | Op::Previous(_) | Op::OutputBar(_) | Op::CarryBar(_) => {
                (self.name)(id).unwrap_or_default()
            }
        }
    }
}
