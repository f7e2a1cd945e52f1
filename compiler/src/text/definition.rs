//! The equations as plain text, as written, and the plain documentation of a cell.

use crate::analysis::heads;
use crate::analysis::resolve::key;
use crate::analysis::shapes::Shaped;
use crate::dim::{Dim, Shape};
use crate::graph::grid::{block_path, positions};
use crate::graph::text::{comparison, logic};
use crate::syntax::ast::{BinaryOp, DeclarationKind, Equation, Expr, ExprKind, Function};
use crate::syntax::text::{number, timed};

/// Returns the equations in order of evaluation, one per line.
pub fn equations(definition: Shaped, order: &[usize]) -> String {
    let mut text = String::new();
    for function in &definition.cell.functions {
        text.push_str(&self::function(function));
        text.push('\n');
    }
    for equation in order.iter().filter_map(|index| definition.cell.equations.get(*index)) {
        for attribute in &equation.attributes {
            if let syn::Meta::NameValue(meta) = &attribute.meta
                && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(comment), .. }) = &meta.value
            {
                text.push_str(&format!("//{}\n", comment.value().replace('\n', "\n//")));
            }
        }
        let line = line(equation);
        text.push_str(&match heads(definition, equation.heads_block) {
            Some(heads) => format!("heads {heads} {{ {line} }}\n"),
            None => format!("{line}\n"),
        });
    }
    text
}

/// Returns the number of heads of a block, as text.
fn heads(definition: Shaped, block: Option<usize>) -> Option<String> {
    let heads = heads::number(definition.cell, block?)?;
    Some(Dim::sum([heads]).display(&definition.dim_names()))
}

/// Writes `fn swish(u) = u * sigmoid(u)`.
pub fn function(function: &Function) -> String {
    let arguments: Vec<String> = function.arguments.iter().map(ToString::to_string).collect();
    format!("fn {}({}) = {}", function.name, arguments.join(", "), expr(&function.body))
}

/// Writes `f = sigmoid(W @ x)`.
pub fn line(equation: &Equation) -> String {
    let targets: Vec<String> = equation.targets.iter().map(ToString::to_string).collect();
    let targets = if equation.is_split { format!("[{}]", targets.join(", ")) } else { targets.join(", ") };
    format!("{targets} = {}", bare(&equation.value))
}

/// Writes a right-hand side without redundant parentheses around all of it.
fn bare(value: &Expr) -> String {
    let text = expr(value);
    if value.parenthesised { crate::graph::text::bare(&text).to_owned() } else { text }
}

/// Writes an expression as the user would.
pub fn expr(value: &Expr) -> String {
    let inner = match &value.kind {
        ExprKind::Number(value) => number(*value),
        ExprKind::Name { name, time } => timed(name, time),
        ExprKind::Neg(inner) => format!("-{}", expr(inner)),
        ExprKind::Binary { op, left, right, .. } => {
            let sign = match op {
                BinaryOp::Add => "+",
                BinaryOp::Sub => "-",
                BinaryOp::Mul => "*",
                BinaryOp::Div => "/",
                BinaryOp::MatMul => "@",
            };
            format!("{} {sign} {}", expr(left), expr(right))
        }
        ExprKind::Transpose(inner) => format!("{}.T", expr(inner)),
        ExprKind::Head(inner) => format!("{}.head", expr(inner)),
        ExprKind::Stack(parts) => {
            let parts: Vec<String> = parts.iter().map(expr).collect();
            format!("[{}]", parts.join(", "))
        }
        ExprKind::Call { function, arguments } => {
            let arguments: Vec<String> = arguments.iter().map(expr).collect();
            format!("{function}({})", arguments.join(", "))
        }
        ExprKind::Compare { op, left, right, .. } => {
            format!("{} {} {}", expr(left), comparison(*op), expr(right))
        }
        ExprKind::Logic { op, left, right } => format!("{} {} {}", expr(left), logic(*op), expr(right)),
        ExprKind::Not(inner) => format!("not {}", expr(inner)),
        ExprKind::RustPath(path) => {
            let segments: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            segments.join("::")
        }
        ExprKind::Error => "..".to_owned(),
    };
    if value.parenthesised { format!("({inner})") } else { inner }
}

/// Returns the documentation of the generated type as plain text, to follow the user's own.
pub fn cell(definition: Shaped, order: &[usize]) -> String {
    let mut text = String::from("\n# Equations\n\n```text\n");
    text.push_str(&equations(definition, order));
    text.push_str("```\n\n");
    text.push_str("| name | kind | shape |\n| --- | --- | --- |\n");
    for (index, declaration) in definition.cell.declarations.iter().enumerate() {
        let kind = kind(definition, index);
        text.push_str(&format!("| `{}` | {kind} | `{}` |\n", declaration.name, shape(definition, index)));
    }
    text.push_str(&format!("\n{}\n", returns(definition)));
    text
}

/// Returns a sentence that lists the outputs.
pub fn returns(definition: Shaped) -> String {
    let outputs: Vec<String> = definition.cell.outputs.iter().map(|name| format!("`{name}`")).collect();
    format!("Returns {} at each step.", outputs.join(", "))
}

/// Returns the kind of a declaration, in a word or two.
pub fn kind(definition: Shaped, index: usize) -> &'static str {
    match definition.cell.declarations[index].kind {
        DeclarationKind::Input if definition.shapes.one_hot[index].is_some() => "input, one-hot index",
        kind => crate::syntax::text::kind(kind),
    }
}

/// Writes the shape of a declaration as the user would: `[H, I]`, or `K × [D, I]` for one of each
/// of `K` heads.
pub fn shape(definition: Shaped, index: usize) -> String {
    if let Some(dim) = &definition.shapes.one_hot[index] {
        return format!("one_hot[{}]", dim.display(&definition.dim_names()));
    }
    let shape = definition.shapes.declarations[index].as_ref();
    let shape = shape.map_or("?".to_owned(), |shape| shape.display(&definition.dim_names()));
    match heads(definition, definition.cell.declarations[index].heads_block) {
        Some(heads) => format!("{heads} × {shape}"),
        None => shape,
    }
}

/// Returns a sentence on the blocks of a declaration, if there are several: `W.left` is `[H, H]`,
/// `W.right` is `[H, I]`.
pub fn blocks(definition: Shaped, index: usize) -> Option<String> {
    // If there are more blocks, only the first two and the last are shown.
    const MOST: usize = 4;
    let declaration = &definition.cell.declarations[index];
    let shape = definition.shapes.declarations[index]
        .as_ref()
        .filter(|_| definition.shapes.one_hot[index].is_none())?;
    let (rows, columns) = (shape.rows.atoms(), shape.columns.atoms());
    let name = key(&declaration.name);
    let block = |row: usize, column: usize| {
        let path = block_path(shape.blocks(), row, column)
            .into_iter()
            .map(|field| format!(".{field}"))
            .collect::<String>();
        let of = Shape { rows: Dim::sum([rows[row]]), columns: Dim::sum([columns[column]]) };
        let of = of.display(&definition.dim_names());
        match heads(definition, declaration.heads_block) {
            Some(heads) => format!("`{name}{path}` is `{heads} × {of}`"),
            None => format!("`{name}{path}` is `{of}`"),
        }
    };
    let mut shown: Vec<String> = positions(shape.blocks()).map(|(row, column)| block(row, column)).collect();
    if shown.len() < 2 {
        return None;
    }
    if shown.len() > MOST {
        let last = shown.pop();
        shown.truncate(2);
        shown.push("..".to_owned());
        shown.extend(last);
    }
    let mut sentence = format!("One [block](rnn_cell::types::blocks) per term: {}", shown.join(", "));
    let is_saved = declaration.kind.is_saved();
    if is_saved && declaration.heads_block.is_none() {
        sentence.push_str(&format!(". `{name}[(row, column)]` is an entry of the whole matrix"));
    }
    Some(sentence + ".")
}
