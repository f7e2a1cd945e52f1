//! Values as text that can be checked against a paper: the equations, forward and derived.

use crate::dim::{Atom, Dim};
use crate::graph::ir::{Binary, Comparison, Condition, Graph, Id, Logic, Op, Unary};
use std::cell::Cell;

/// Returns the text without the parentheses around all of it.
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

/// Writes `-x` or `tanh(x)`.
pub fn unary(op: Unary, x: &str) -> String {
    match op {
        Unary::Neg => format!("-{x}"),
        _ => format!("{}({})", op.row().name, bare(x)),
    }
}

/// Writes `(a + b)` or `pow(a, b)`.
fn binary(op: Binary, a: &str, b: &str) -> String {
    let name = op.row().name;
    if op.is_operator() { format!("({a} {name} {b})") } else { format!("{name}({}, {})", bare(a), bare(b)) }
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

/// Returns the word for an operator between conditions.
pub fn logic(op: Logic) -> &'static str {
    match op {
        Logic::And => "and",
        Logic::Or => "or",
    }
}

/// Writes `a > b and not c > d`, with the next of the compared values.
fn condition(of: &Condition, values: &mut impl Iterator<Item = String>) -> String {
    match of {
        Condition::Compare(op) => {
            let mut value = || values.next().unwrap_or_default();
            format!("{} {} {}", value(), comparison(*op), value())
        }
        Condition::Not(inner) => match **inner {
            Condition::Both(..) => format!("not ({})", condition(inner, values)),
            _ => format!("not {}", condition(inner, values)),
        },
        Condition::Both(op, operands) => {
            let written = operands.each_ref().map(|operand| match operand {
                Condition::Both(inner, _) if inner != op => format!("({})", condition(operand, values)),
                _ => condition(operand, values),
            });
            written.join(&format!(" {} ", logic(*op)))
        }
    }
}

/// The largest number of nodes written out for one right-hand side. A value that is used twice
/// without a name is written twice, which doubles at each level.
const LONGEST: usize = 400;

/// A writer of nodes as expressions. Named nodes appear by name.
pub struct Writer<'a> {
    pub graph: &'a Graph,
    pub dims: &'a [String],
    /// Returns the name of a value if it is written by name.
    pub name: &'a dyn Fn(Id) -> Option<String>,
    written: Cell<usize>,
}

impl<'a> Writer<'a> {
    pub fn new(graph: &'a Graph, dims: &'a [String], name: &'a dyn Fn(Id) -> Option<String>) -> Self {
        Writer { graph, dims, name, written: Cell::new(0) }
    }
}

impl Writer<'_> {
    /// Writes the right-hand side of a value's equation.
    pub fn definition(&self, id: Id) -> String {
        self.written.set(0);
        bare(&self.operation(id)).to_owned()
    }

    /// Writes a value within an expression: its name, or its definition, in parentheses if its
    /// parts are joined by an operator.
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

    /// Writes a value as an operand of `@`, `*`, `/` or `.T`, which bind more tightly than the
    /// written form of a product or of a sum over steps.
    fn factor(&self, id: Id) -> String {
        let text = self.value(id);
        if self.is_open(id) { format!("({text})") } else { text }
    }

    fn is_open(&self, id: Id) -> bool {
        match self.graph[id].op {
            _ if (self.name)(id).is_some() => false,
            Op::MatMul { .. } if self.adds_heads(id) => false,
            Op::MatMul { .. } | Op::Gather { .. } | Op::Scatter { .. } | Op::Accumulate => true,
            Op::Reshape if self.makes_row(id) => false,
            Op::Unary(Unary::Neg) => self.is_open(self.graph[id].args[0]),
            Op::Expand | Op::StopGradient | Op::Copy(_) | Op::Reshape => self.is_open(self.graph[id].args[0]),
            _ => false,
        }
    }

    /// Returns whether the products of all heads add up.
    fn adds_heads(&self, id: Id) -> bool {
        let node = &self.graph[id];
        !node.shape.has_heads() && node.args.iter().any(|arg| self.graph[*arg].shape.has_heads())
    }

    /// Returns whether a reshape turns a vector into a row.
    fn makes_row(&self, id: Id) -> bool {
        self.graph[id].shape.is_row() && self.graph[self.graph[id].args[0]].shape.columns == Atom::ONE
    }

    /// Writes the arguments of a window, without a spacing of one.
    fn lengths(&self, entries: Atom, spacing: Atom) -> String {
        let text = |atom| Dim::sum([atom]).display(self.dims);
        if spacing == Atom::ONE { text(entries) } else { format!("{}, {}", text(entries), text(spacing)) }
    }

    fn operation(&self, id: Id) -> String {
        let node = &self.graph[id];
        let arg = |index: usize| node.args.get(index).map_or(String::new(), |arg| self.value(*arg));
        let size = |atom: Atom| Dim::sum([atom]).display(self.dims);
        let factor = |index: usize| node.args.get(index).map_or(String::new(), |arg| self.factor(*arg));
        let transposed = |index: usize| {
            let text = factor(index);
            text.strip_suffix(".T").map_or_else(|| format!("{text}.T"), str::to_owned)
        };
        // Products associate to the left.
        let first = |flag: bool| match node.args.first().map(|arg| &self.graph[*arg].op) {
            Some(Op::MatMul { .. }) if !flag => arg(0),
            _ if flag => transposed(0),
            _ => factor(0),
        };
        match &node.op {
            Op::Number(bits) => format!("{}", f64::from_bits(*bits)),
            Op::Size(dim) => {
                let text = dim.display(self.dims);
                if dim.atoms().len() > 1 { format!("({text})") } else { text }
            }
            Op::Unary(op) => unary(*op, &arg(0)),
            Op::Binary(op @ (Binary::Mul | Binary::Div)) => binary(*op, &factor(0), &factor(1)),
            Op::Binary(op) => binary(*op, &arg(0), &arg(1)),
            Op::Select(of) => {
                let mut values = node.args.iter().map(|arg| self.value(*arg));
                let condition = condition(of, &mut values);
                let chosen: Vec<String> = values.map(|value| bare(&value).to_owned()).collect();
                format!("where({condition}, {})", chosen.join(", "))
            }
            Op::MatMul { ta, tb } if self.adds_heads(id) => {
                format!("head_sum({} @ {})", first(*ta), if *tb { transposed(1) } else { factor(1) })
            }
            Op::MatMul { ta, tb } => {
                format!("{} @ {}", first(*ta), if *tb { transposed(1) } else { factor(1) })
            }
            Op::Transpose => transposed(0),
            Op::Reshape if self.makes_row(id) => transposed(0),
            Op::Expand | Op::StopGradient | Op::Copy(_) | Op::Reshape => arg(0),
            Op::Gather { .. } => format!("{} @ {}", factor(0), arg(1)),
            Op::Scatter { .. } => format!("{} @ {}.T", factor(0), arg(1)),
            Op::Sum => format!("sum({})", bare(&arg(0))),
            Op::RowSum => format!("row_sum({})", bare(&arg(0))),
            Op::ColumnSum => format!("row_sum({})", transposed(0)),
            Op::HeadSum => format!("head_sum({})", bare(&arg(0))),
            Op::RepeatHeads => format!("repeat_heads({}, {})", bare(&arg(0)), size(node.shape.heads)),
            Op::GroupSum => format!("sum_heads({}, {})", bare(&arg(0)), size(node.shape.heads)),
            Op::Blocks => format!("blocks({}, {})", bare(&arg(0)), size(node.shape.columns)),
            Op::BlockSum => format!("block_sum({})", bare(&arg(0))),
            Op::Maximum => format!("max_entry({})", bare(&arg(0))),
            Op::Concat => {
                let parts: Vec<String> =
                    (0..node.args.len()).map(|index| bare(&arg(index)).to_owned()).collect();
                format!("[{}]", parts.join(", "))
            }
            Op::Slice { start, count } => format!("rows({}, {start}, {count})", bare(&arg(0))),
            Op::Accumulate => format!("Σ {}", arg(0)),
            Op::Window { entries, spacing } => {
                let u = self.value(node.args[1]);
                format!("window({}, {})", bare(&u), self.lengths(*entries, *spacing))
            }
            Op::Present { entries, spacing } => format!("present({})", self.lengths(*entries, *spacing)),
            Op::LastColumn => format!("last_column({})", bare(&arg(0))),
            Op::Read(_)
            | Op::Previous(_)
            | Op::Past(_)
            | Op::PastBar { .. }
            | Op::OutputBar(_)
            | Op::CarryBar(_) => (self.name)(id).unwrap_or_default(),
        }
    }
}
