//! The user's functions are element-wise in any shape; only the arguments that they read give them one.

use crate::resolve::{Callee, Resolved, Symbol};
use crate::syntax::ast::{Cell, Expr, ExprKind};

/// By function and argument: whether the function's value depends on it.
pub fn reaching_arguments(cell: &Cell, resolved: &Resolved) -> Vec<Vec<bool>> {
    let mut reaching: Vec<Vec<bool>> =
        cell.functions.iter().map(|function| vec![false; function.arguments.len()]).collect();
    // A function may call one that stands below it, so its callees' arguments may become known later.
    loop {
        let mut has_changed = false;
        for (index, function) in cell.functions.iter().enumerate() {
            let mut own = std::mem::take(&mut reaching[index]);
            let before = own.clone();
            mark(&function.body, resolved, &reaching, &mut own);
            has_changed |= own != before;
            reaching[index] = own;
        }
        if !has_changed {
            return reaching;
        }
    }
}

fn mark(expr: &Expr, resolved: &Resolved, reaching: &[Vec<bool>], own: &mut [bool]) {
    match &expr.kind {
        ExprKind::Name { .. } => {
            if let Some(Some(Symbol::Argument(index))) = resolved.symbols.get(expr.id)
                && let Some(reaches) = own.get_mut(*index)
            {
                *reaches = true;
            }
        }
        ExprKind::Number(_) | ExprKind::RustPath(_) | ExprKind::Error => {}
        ExprKind::Neg(inner) | ExprKind::Transpose(inner) => mark(inner, resolved, reaching, own),
        ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => {
            mark(left, resolved, reaching, own);
            mark(right, resolved, reaching, own);
        }
        ExprKind::Stack(parts) => {
            for part in parts {
                mark(part, resolved, reaching, own);
            }
        }
        ExprKind::Call { arguments, .. } => {
            let callee = resolved.callees.get(expr.id).copied().flatten();
            for (position, argument) in arguments.iter().enumerate() {
                let reaches = match callee {
                    Some(Callee::User(function)) => reaching
                        .get(function)
                        .and_then(|reaches| reaches.get(position))
                        .copied()
                        .unwrap_or(false),
                    _ => true,
                };
                if reaches {
                    mark(argument, resolved, reaching, own);
                }
            }
        }
    }
}
