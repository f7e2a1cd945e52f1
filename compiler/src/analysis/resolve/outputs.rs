//! The `output` items. Each names a different state or equation.

use super::names::{Definition, Lookup, Names, key, what_it_is};
use super::symbols::Target;
use crate::diagnostics::Diagnostics;
use crate::syntax::ast::{Cell, DeclarationKind};
use crate::syntax::suggest::nearest;
use proc_macro2::Ident;
use std::collections::HashSet;

/// The values that the outputs name.
#[derive(Debug)]
pub struct Outputs {
    /// The targets of the outputs, in the order of the items.
    pub targets: Vec<Option<Target>>,
    /// The definitions that are certainly or probably outputs.
    pub roots: Vec<Definition>,
    /// True if every output is among the roots. Otherwise any value may be an output.
    pub are_known: bool,
}

/// Looks up every output.
pub fn collect(cell: &Cell, names: &Names, diagnostics: &mut Diagnostics) -> Outputs {
    let mut outputs = Outputs { targets: vec![], roots: vec![], are_known: true };
    let mut seen = HashSet::new();
    for name in &cell.outputs {
        let target = output(cell, names, name, &mut outputs, diagnostics);
        if !seen.insert(key(name)) {
            diagnostics.error(name, format!("output `{name}` is declared twice")).help("remove one of them");
        }
        outputs.targets.push(target);
    }
    if cell.outputs.is_empty() {
        outputs.are_known = false;
        // An item that failed to parse may have been the output.
        if cell.poisoned.is_empty() && cell.mentioned.is_empty() {
            no_output(cell, diagnostics);
        }
    }
    outputs
}

fn output(
    cell: &Cell,
    names: &Names,
    name: &Ident,
    outputs: &mut Outputs,
    diagnostics: &mut Diagnostics,
) -> Option<Target> {
    match names.look_up(name) {
        Lookup::Found(definition @ Definition::Target(target)) => {
            outputs.roots.push(definition);
            Some(target)
        }
        Lookup::Found(definition @ Definition::Declaration(index))
            if cell.declarations[index].kind == DeclarationKind::State =>
        {
            outputs.roots.push(definition);
            names.state_values[index]
        }
        Lookup::Found(definition) => {
            outputs.roots.push(definition);
            if !names.is_clashing(name) {
                let what = what_it_is(cell, definition);
                diagnostics
                    .error(name, format!("`{name}` is {what} and can't be an output"))
                    .note("an output is a state or the value of an equation")
                    .help(format!("give it a name of its own: `y = {name};` and `output y;`"));
            }
            None
        }
        Lookup::Poisoned => None,
        Lookup::Unknown => {
            let known = candidates(cell);
            let near = nearest(&key(name), known.iter().map(String::as_str));
            let mistake = diagnostics.error(name, format!("there is no state or equation `{name}`"));
            if let Some(near) = near {
                mistake.help(format!("should this be `{near}`?"));
                if let Lookup::Found(definition) = names.look_up_key(near) {
                    outputs.roots.push(definition);
                }
            } else {
                mistake.help(format!("add an equation `{name} = ..;`"));
                outputs.are_known = false;
            }
            None
        }
    }
}

fn candidates(cell: &Cell) -> Vec<String> {
    let states = cell.declarations.iter().filter(|declared| declared.kind == DeclarationKind::State);
    let mut known: Vec<String> = states.map(|state| key(&state.name)).collect();
    known.extend(cell.equations.iter().flat_map(|equation| &equation.targets).map(key));
    known
}

fn no_output(cell: &Cell, diagnostics: &mut Diagnostics) {
    let state = cell.declarations.iter().find(|declared| declared.kind == DeclarationKind::State);
    let last = cell.equations.last().and_then(|equation| equation.targets.last());
    let example = state.map(|state| &state.name).or(last);
    let mistake = diagnostics.error(&cell.name, format!("cell `{}` has no output", cell.name));
    mistake.note("an output is a state or the value of an equation, returned at every step");
    mistake.help(match example {
        Some(name) => format!("add `output {name};`"),
        None => "add an equation `y = ..;` and `output y;`".to_owned(),
    });
}
