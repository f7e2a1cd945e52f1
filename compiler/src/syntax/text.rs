//! Source text for messages: expressions and declarations as the user wrote them.

pub use crate::graph::text::{comparison, logic};
use crate::syntax::ast::{
    BinaryOp, Cell, Declaration, DeclarationKind, DimSyntax, DimTerm, Equation, Expr, ExprKind, ShapeKind,
    ShapeSyntax, Time,
};
use proc_macro2::Ident;

/// The largest number of characters of an expression in a message.
const SHORT: usize = 44;

/// Returns the name of a kind of declaration for use in a sentence.
pub fn kind(kind: DeclarationKind) -> &'static str {
    match kind {
        DeclarationKind::Input => "input",
        DeclarationKind::Context => "context",
        DeclarationKind::State => "state",
        DeclarationKind::Param => "parameter",
        DeclarationKind::Buffer => "buffer",
    }
}

/// Returns the name of a kind with its article: `an input`, `a state`.
pub fn a_kind(of: DeclarationKind) -> String {
    match of {
        DeclarationKind::Input => "an input".to_owned(),
        _ => format!("a {}", kind(of)),
    }
}

fn keyword(kind: DeclarationKind) -> &'static str {
    match kind {
        DeclarationKind::Input => "input",
        DeclarationKind::Context => "context",
        DeclarationKind::State => "state",
        DeclarationKind::Param => "param",
        DeclarationKind::Buffer => "buffer",
    }
}

/// Returns the text of a declaration: `param W: [H, I]`.
pub fn declaration(declaration: &Declaration) -> String {
    format!("{} {}: {}", keyword(declaration.kind), declaration.name, shape(&declaration.shape))
}

/// Returns the text of a shape, such as `[H, H + I]`, or `[..]` if it failed to parse.
pub fn shape(shape: &ShapeSyntax) -> String {
    match &shape.kind {
        ShapeKind::Dense(dimensions) => {
            let dimensions: Vec<String> = dimensions.iter().map(dimension).collect();
            format!("[{}]", dimensions.join(", "))
        }
        ShapeKind::OneHot(size) => format!("one_hot[{}]", dimension(size)),
        ShapeKind::Unknown => "[..]".to_owned(),
    }
}

fn dimension(dimension: &DimSyntax) -> String {
    let terms: Vec<String> = dimension.terms.iter().map(dim_term).collect();
    terms.join(" + ")
}

/// Returns the text of a term of a dimension: `H`, `4*H`, `K*D`, `16`.
pub fn dim_term(term: &DimTerm) -> String {
    let Some(name) = &term.name else { return term.count.to_string() };
    let name = match &term.size {
        Some(size) => format!("{name}*{size}"),
        None => name.to_string(),
    };
    match term.count {
        1 => name,
        count if term.has_number_last => format!("{name}*{count}"),
        count => format!("{count}*{name}"),
    }
}

/// Returns the left side of an equation: `h`, `[f, i]`.
pub fn targets(equation: &Equation) -> String {
    let names: Vec<String> = equation.targets.iter().map(Ident::to_string).collect();
    if equation.is_split { format!("[{}]", names.join(", ")) } else { names.join(", ") }
}

/// Returns the text of an equation: `[f, i] = W @ x + b`.
pub fn equation(equation: &Equation) -> String {
    format!("{} = {}", targets(equation), short(&equation.value))
}

/// Returns the text of the transpose, such as `W.T`. The transpose of a transpose is its operand.
pub fn transposed(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Transpose(inner) => operand(inner),
        _ => format!("{}.T", operand(expr)),
    }
}

/// Returns the head of the cell with a dimension added: `cell W<I, H, K>`.
pub fn cell_head(cell: &Cell, more: &Ident) -> String {
    let mut dimensions: Vec<String> = cell.dimensions.iter().map(Ident::to_string).collect();
    dimensions.push(more.to_string());
    format!("cell {}<{}>", cell.name, dimensions.join(", "))
}

/// Returns a name with its time index: `h[t-1]`, `h[t]`, `h`.
pub fn timed(name: &Ident, time: &Time) -> String {
    format!("{name}{}", index(time))
}

/// Returns a time index, such as `[t-1]`, or nothing if the user wrote none.
pub fn index(time: &Time) -> String {
    match time {
        Time::Implicit => String::new(),
        Time::Offset(0) => "[t]".to_owned(),
        Time::Offset(offset) if *offset < 0 => format!("[t-{}]", offset.unsigned_abs()),
        Time::Offset(offset) => format!("[t+{offset}]"),
        Time::Delay { count: 1, dimension } => format!("[t-{dimension}]"),
        Time::Delay { count, dimension } => format!("[t-{count}*{dimension}]"),
    }
}

/// Returns the expression on one line, or `..` if that would be too long.
pub fn short(expr: &Expr) -> String {
    let mut out = String::new();
    write(expr, &mut out);
    shortened(out)
}

fn shortened(text: String) -> String {
    if text.chars().count() > SHORT { "..".to_owned() } else { text }
}

/// Returns the same text as [`short`] without the expression's own parentheses, for use inside
/// brackets.
pub fn enclosed(expr: &Expr) -> String {
    let mut out = String::new();
    write_bare(expr, &mut out);
    shortened(out)
}

/// Returns the same text as [`short`], in parentheses if `.T` would otherwise apply to a part of
/// it.
pub fn operand(expr: &Expr) -> String {
    let text = short(expr);
    let is_open = matches!(
        expr.kind,
        ExprKind::Neg(_)
            | ExprKind::Binary { .. }
            | ExprKind::Compare { .. }
            | ExprKind::Logic { .. }
            | ExprKind::Not(_)
    );
    if is_open && !expr.parenthesised || text == ".." { format!("({text})") } else { text }
}

fn write(expr: &Expr, out: &mut String) {
    if expr.parenthesised {
        out.push('(');
    }
    write_bare(expr, out);
    if expr.parenthesised {
        out.push(')');
    }
}

/// Writes the expression without its own parentheses.
fn write_bare(expr: &Expr, out: &mut String) {
    // Longer text is not shown, so stopping here keeps messages about huge expressions cheap.
    if out.len() > 8 * SHORT {
        return;
    }
    match &expr.kind {
        ExprKind::Number(value) => out.push_str(&number(*value)),
        ExprKind::Name { name, time } => out.push_str(&timed(name, time)),
        ExprKind::Neg(inner) => {
            out.push('-');
            write(inner, out);
        }
        ExprKind::Binary { op, left, right, .. } => {
            write(left, out);
            out.push_str(&format!(" {} ", binary(*op)));
            write(right, out);
        }
        ExprKind::Transpose(inner) => {
            write(inner, out);
            out.push_str(".T");
        }
        ExprKind::Head(inner) => {
            write(inner, out);
            out.push_str(".head");
        }
        ExprKind::Stack(parts) => {
            out.push('[');
            list(parts, out);
            out.push(']');
        }
        ExprKind::Call { function, arguments } => {
            out.push_str(&function.to_string());
            out.push('(');
            list(arguments, out);
            out.push(')');
        }
        ExprKind::Compare { op, left, right, .. } => {
            write(left, out);
            out.push_str(&format!(" {} ", comparison(*op)));
            write(right, out);
        }
        ExprKind::Logic { op, left, right } => {
            write(left, out);
            out.push_str(&format!(" {} ", logic(*op)));
            write(right, out);
        }
        ExprKind::Not(inner) => {
            out.push_str("not ");
            write(inner, out);
        }
        ExprKind::RustPath(path) => {
            let segments: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            out.push_str(&segments.join("::"));
        }
        ExprKind::Error => out.push_str(".."),
    }
}

fn list(parts: &[Expr], out: &mut String) {
    for (index, part) in parts.iter().enumerate() {
        if out.len() > 8 * SHORT {
            return;
        }
        if index > 0 {
            out.push_str(", ");
        }
        // Parentheses are redundant between commas.
        write_bare(part, out);
    }
}

/// Returns a number in the usual notation: `1`, `0.5`, `1e-30`.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || (1e-4..1e15).contains(&magnitude) || !value.is_finite() {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

/// Returns the token of an operator.
pub fn binary(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::MatMul => "@",
    }
}
