//! The names that an expression reads.

use crate::analysis::resolve::{Resolved, Symbol};
use crate::syntax::ast::{Expr, ExprKind};

/// Returns the symbols that an expression reads, without duplicates, in the order of their first
/// occurrence.
pub fn symbols(value: &Expr, resolved: &Resolved) -> Vec<Symbol> {
    let mut found = vec![];
    visit(value, &mut |part| {
        if let Some(Some(symbol)) = resolved.symbols.get(part.id)
            && matches!(part.kind, ExprKind::Name { .. })
            && !found.contains(symbol)
        {
            found.push(*symbol);
        }
    });
    found
}

/// Visits an expression and all its subexpressions, in the order of the source.
pub fn visit<'e>(value: &'e Expr, each: &mut impl FnMut(&'e Expr)) {
    // An explicit stack instead of recursion: expressions can be nested to any depth.
    let mut work = vec![value];
    while let Some(part) = work.pop() {
        each(part);
        let before = work.len();
        match &part.kind {
            ExprKind::Neg(inner) | ExprKind::Transpose(inner) | ExprKind::Head(inner) => work.push(inner),
            ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                work.extend([&**left, &**right]);
            }
            ExprKind::Stack(parts) | ExprKind::Call { arguments: parts, .. } => work.extend(parts),
            ExprKind::Number(_) | ExprKind::Name { .. } | ExprKind::RustPath(_) | ExprKind::Error => {}
        }
        work[before..].reverse();
    }
}
