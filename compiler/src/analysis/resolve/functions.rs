//! The user's functions: their arguments, recursion, and functions that are never called.

use super::findings::{Reader, UserCall};
use super::graph::{components, path};
use super::names::{Names, key};
use super::symbols::Symbol;
use crate::diagnostics::{Diagnostics, Missing};
use crate::syntax::ast::{Cell, Expr, ExprKind};
use proc_macro2::Ident;
use std::collections::HashSet;

/// Reports conflicting arguments, and functions that call themselves.
pub fn check(cell: &Cell, calls: &[UserCall], diagnostics: &mut Diagnostics) {
    arguments(cell, diagnostics);
    recursion(cell, calls, diagnostics);
}

fn arguments(cell: &Cell, diagnostics: &mut Diagnostics) {
    let dimensions: HashSet<String> = cell.dimensions.iter().map(key).collect();
    for function in &cell.functions {
        let mut seen = HashSet::new();
        for argument in &function.arguments {
            if dimensions.contains(&key(argument)) {
                diagnostics
                    .error(argument, format!("`{argument}` is a dimension of the cell"))
                    .help("choose another name for the argument");
            }
            if !seen.insert(key(argument)) {
                diagnostics
                    .error(argument, format!("argument `{argument}` is declared twice"))
                    .help("choose another name for one of them");
            }
        }
    }
}

fn recursion(cell: &Cell, calls: &[UserCall], diagnostics: &mut Diagnostics) {
    let edges = call_graph(cell, calls);
    let component = components(&edges);
    let mut reported = HashSet::new();
    for call in calls {
        let Reader::Function(caller) = call.reader else { continue };
        if component[caller] != component[call.function] || !reported.insert(component[caller]) {
            continue;
        }
        let Some(cycle) = path(&edges, &component, call.function, caller) else { continue };
        let mut names: Vec<String> =
            cycle.iter().map(|index| cell.functions[*index].name.to_string()).collect();
        names.insert(0, cell.functions[caller].name.to_string());
        diagnostics
            .error(call.extent, format!("function `{}` calls itself: `{}`", names[0], names.join(" -> ")))
            .note("a function is inlined where it is called")
            .help("a value carried from step to step is a state, read at `[t-1]`");
    }
}

fn call_graph(cell: &Cell, calls: &[UserCall]) -> Vec<Vec<usize>> {
    let mut edges = vec![vec![]; cell.functions.len()];
    for call in calls {
        if let Reader::Function(caller) = call.reader {
            edges[caller].push(call.function);
        }
    }
    edges
}

/// Reports functions that are only called by themselves or not at all, and arguments that their
/// body does not read.
pub fn check_unused(
    cell: &Cell,
    names: &Names,
    calls: &[UserCall],
    symbols: &[Option<Symbol>],
    diagnostics: &mut Diagnostics,
) {
    let component = components(&call_graph(cell, calls));
    let called: HashSet<usize> = calls
        .iter()
        .filter(|call| !matches!(call.reader, Reader::Function(caller) if component[caller] == component[call.function]))
        .map(|call| component[call.function])
        .collect();
    for (index, function) in cell.functions.iter().enumerate() {
        let name = &function.name;
        // A second function with the same name, or one with the name of a built-in, can't be
        // called.
        if names.function(name) != Some(index) {
            continue;
        }
        let is_mentioned = cell.mentioned.iter().any(|mentioned| key(mentioned) == key(name));
        if !called.contains(&component[index]) && !may_stay_unused(name) && !is_mentioned {
            diagnostics
                .error(name, format!("function `{name}` is never called"))
                .unless_missing(Missing::Read)
                .help(format!("remove it, or name it `_{name}` to keep it"));
        }
        let mut used = vec![false; function.arguments.len()];
        mark_arguments(&function.body, symbols, &mut used);
        for argument in unused_arguments(&function.arguments, &used) {
            diagnostics
                .error(argument, format!("argument `{argument}` of `{name}` is never used"))
                .help(format!("remove it, or name it `_{argument}` to keep it"));
        }
    }
}

fn unused_arguments<'a>(arguments: &'a [Ident], used: &[bool]) -> impl Iterator<Item = &'a Ident> {
    // Two arguments of the same name have been reported. The body reads the first.
    let mut seen = HashSet::new();
    let unused: Vec<&Ident> = arguments
        .iter()
        .zip(used)
        .filter(|(argument, used)| seen.insert(key(argument)) && !**used && !may_stay_unused(argument))
        .map(|(argument, _)| argument)
        .collect();
    unused.into_iter()
}

/// Returns whether the name has a leading `_`, which marks it as unused on purpose.
pub fn may_stay_unused(name: &Ident) -> bool {
    key(name).starts_with('_')
}

fn mark_arguments(expr: &Expr, symbols: &[Option<Symbol>], used: &mut [bool]) {
    match &expr.kind {
        ExprKind::Name { .. } => {
            if let Some(Some(Symbol::Argument(index))) = symbols.get(expr.id)
                && let Some(used) = used.get_mut(*index)
            {
                *used = true;
            }
        }
        // The expression with the mistake may have been meant to read any of the arguments.
        ExprKind::Error => used.fill(true),
        ExprKind::Number(_) | ExprKind::RustPath(_) => {}
        ExprKind::Neg(inner) | ExprKind::Transpose(inner) | ExprKind::Head(inner) => {
            mark_arguments(inner, symbols, used)
        }
        ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => {
            mark_arguments(left, symbols, used);
            mark_arguments(right, symbols, used);
        }
        ExprKind::Stack(parts) | ExprKind::Call { arguments: parts, .. } => {
            for part in parts {
                mark_arguments(part, symbols, used);
            }
        }
    }
}
