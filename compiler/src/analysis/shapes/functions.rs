//! The shapes of calls to the user's functions. A function is element-wise and accepts any shape.
//! The shape of its value depends only on the arguments that it reads. It is unknown if the body
//! has a mistake or the function calls itself.

use crate::analysis::resolve::{Callee, Resolved, Symbol};
use crate::syntax::ast::{Cell, Expr, ExprKind};

/// Returns a flag for each argument of each function: the function's value depends on it. An entry
/// is `None` if the flags are unknown because of a mistake that has been reported.
pub fn reaching_arguments(cell: &Cell, resolved: &Resolved) -> Vec<Option<Vec<bool>>> {
    let sound = sound_functions(cell, resolved);
    let reaching = all_reaching(cell, resolved);
    reaching.into_iter().zip(sound).map(|(reaching, is_sound)| is_sound.then_some(reaching)).collect()
}

/// Returns a flag for each function: its body and all functions that it calls are free of mistakes.
/// A recursive function never is.
fn sound_functions(cell: &Cell, resolved: &Resolved) -> Vec<bool> {
    let mut sound = vec![false; cell.functions.len()];
    loop {
        let mut has_changed = false;
        for (index, function) in cell.functions.iter().enumerate() {
            if !sound[index] && is_sound(&function.body, resolved, &sound) {
                sound[index] = true;
                has_changed = true;
            }
        }
        if !has_changed {
            return sound;
        }
    }
}

fn is_sound(expr: &Expr, resolved: &Resolved, sound: &[bool]) -> bool {
    let inner = |expr: &Expr| is_sound(expr, resolved, sound);
    let itself = match &expr.kind {
        ExprKind::Error => false,
        ExprKind::Name { .. } => resolved.symbols.get(expr.id).is_some_and(Option::is_some),
        ExprKind::Call { .. } => match resolved.callees.get(expr.id).copied().flatten() {
            Some(Callee::User(function)) => sound.get(function).copied().unwrap_or(false),
            Some(Callee::BuiltIn(_)) => true,
            None => false,
        },
        _ => true,
    };
    itself && expr.children().into_iter().all(inner)
}

fn all_reaching(cell: &Cell, resolved: &Resolved) -> Vec<Vec<bool>> {
    let mut reaching: Vec<Vec<bool>> =
        cell.functions.iter().map(|function| vec![false; function.arguments.len()]).collect();
    // A function may call another that is defined below it, so this repeats until nothing changes.
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
        _ => expr.children().into_iter().for_each(|child| mark(child, resolved, reaching, own)),
    }
}
