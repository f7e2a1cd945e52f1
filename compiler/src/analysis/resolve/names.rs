//! The names that a cell defines. Dimensions, declarations and equations share one namespace, and
//! functions have their own.

use super::symbols::Target;
use crate::diagnostics::{Diagnostics, Missing};
use crate::graph::ops;
use crate::syntax::ast::{Cell, DeclarationKind, DimSyntax, ShapeKind, ShapeSyntax};
use crate::syntax::suggest::{Habit, nearest, time_habit};
use crate::syntax::text;
use proc_macro2::Ident;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use syn::ext::IdentExt;

/// The definition that a name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Definition {
    Dimension(usize),
    /// A declaration, including a state whose value an equation defines.
    Declaration(usize),
    /// A value that is not a state.
    Target(Target),
}

/// The result of looking up a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    Found(Definition),
    /// The definition of the name failed to parse, which has been reported.
    Poisoned,
    Unknown,
}

/// All names of one cell.
#[derive(Debug, Default)]
pub struct Names {
    values: HashMap<String, Definition>,
    functions: HashMap<String, usize>,
    poisoned: HashSet<String>,
    /// The names that an equation wrongly assigns: dimensions, inputs, parameters.
    clashing: HashSet<String>,
    /// The names that are declared as two kinds of value. Each use fits one of the declarations.
    contested: HashSet<String>,
    /// The targets that were probably meant to have the name of a state without an equation.
    pub misnamed: Vec<Target>,
    /// The target that defines the value of each state, indexed by declaration.
    pub state_values: Vec<Option<Target>>,
}

impl Names {
    /// Looks up a name.
    pub fn look_up(&self, name: &Ident) -> Lookup {
        self.look_up_key(&key(name))
    }

    /// Looks up the [`key`] of a name.
    pub fn look_up_key(&self, name: &str) -> Lookup {
        match self.values.get(name) {
            Some(_) if self.contested.contains(name) => Lookup::Poisoned,
            Some(definition) => Lookup::Found(*definition),
            None if self.poisoned.contains(name) => Lookup::Poisoned,
            None => Lookup::Unknown,
        }
    }

    pub fn function(&self, name: &Ident) -> Option<usize> {
        self.functions.get(&key(name)).copied()
    }

    /// Returns whether an equation wrongly assigns the name, which has been reported.
    pub fn is_clashing(&self, name: &Ident) -> bool {
        self.clashing.contains(&key(name))
    }

    pub fn is_poisoned(&self, name: &Ident) -> bool {
        self.poisoned.contains(&key(name))
    }
}

/// Returns the name without `r#`. Rust treats `r#h` and `h` as the same name.
pub fn key(name: &Ident) -> String {
    name.unraw().to_string()
}

/// Collects every definition. Reports names that are defined twice, shadow a dimension or have the
/// name of a built-in function, inputs and parameters that equations assign, and states without an
/// equation.
pub fn collect(cell: &Cell, diagnostics: &mut Diagnostics) -> Names {
    let mut names = Names {
        poisoned: cell.poisoned.iter().map(key).collect(),
        state_values: vec![None; cell.declarations.len()],
        ..Names::default()
    };
    collect_dimensions(cell, &mut names, diagnostics);
    collect_declarations(cell, &mut names, diagnostics);
    collect_equations(cell, &mut names, diagnostics);
    collect_functions(cell, &mut names, diagnostics);
    report_undefined_states(cell, &mut names, diagnostics);
    names
}

fn collect_dimensions(cell: &Cell, names: &mut Names, diagnostics: &mut Diagnostics) {
    for (index, name) in cell.dimensions.iter().enumerate() {
        if names.values.contains_key(&key(name)) {
            diagnostics
                .error(name, format!("dimension `{name}` is declared twice"))
                .help("remove one of them, or rename it");
            continue;
        }
        names.values.insert(key(name), Definition::Dimension(index));
    }
}

fn collect_declarations(cell: &Cell, names: &mut Names, diagnostics: &mut Diagnostics) {
    for (index, declaration) in cell.declarations.iter().enumerate() {
        let name = &declaration.name;
        match names.values.get(&key(name)) {
            None => {
                names.values.insert(key(name), Definition::Declaration(index));
            }
            Some(Definition::Declaration(first)) => {
                let first = &cell.declarations[*first];
                if first.kind != declaration.kind {
                    names.contested.insert(key(name));
                }
                diagnostics
                    .error(name, format!("`{name}` is declared twice"))
                    .note(format!("the first declaration is `{}`", text::declaration(first)))
                    .help("rename one of them, or remove it");
            }
            Some(_) => {
                report_shadowed_dimension(name, diagnostics);
            }
        }
    }
}

fn report_shadowed_dimension(name: &Ident, diagnostics: &mut Diagnostics) {
    diagnostics
        .error(name, format!("`{name}` is a dimension of the cell"))
        .note("dimensions and values share one namespace")
        .help("choose another name for the value");
}

fn collect_equations(cell: &Cell, names: &mut Names, diagnostics: &mut Diagnostics) {
    for (index, equation) in cell.equations.iter().enumerate() {
        for (place, name) in equation.targets.iter().enumerate() {
            let target = Target { equation: index, index: place };
            if names.contested.contains(&key(name)) {
                continue;
            }
            match names.values.get(&key(name)).copied() {
                None => {
                    names.values.insert(key(name), Definition::Target(target));
                }
                Some(Definition::Dimension(_)) => {
                    names.clashing.insert(key(name));
                    report_shadowed_dimension(name, diagnostics);
                }
                Some(Definition::Target(first)) => report_defined_twice(cell, name, first, diagnostics),
                Some(Definition::Declaration(declared)) => {
                    if cell.declarations[declared].kind != DeclarationKind::State {
                        names.clashing.insert(key(name));
                        report_assigned_declaration(cell, name, declared, diagnostics);
                    } else if let Some(first) = names.state_values[declared] {
                        report_defined_twice(cell, name, first, diagnostics);
                    } else {
                        names.state_values[declared] = Some(target);
                    }
                }
            }
        }
    }
}

fn report_defined_twice(cell: &Cell, name: &Ident, first: Target, diagnostics: &mut Diagnostics) {
    let equation = &cell.equations[first.equation];
    let mistake = diagnostics.error(name, format!("`{name}` is given a value twice"));
    mistake.note(format!("the first equation is `{}`", text::equation(equation)));
    mistake.help("within a step every name has one value: give the second a name of its own");
}

fn report_assigned_declaration(cell: &Cell, name: &Ident, declared: usize, diagnostics: &mut Diagnostics) {
    let declaration = &cell.declarations[declared];
    let mistake = diagnostics
        .error(name, format!("`{name}` is {} and can't be given a value", text::a_kind(declaration.kind)));
    mistake.note(format!("it is declared as `{}`", text::declaration(declaration)));
    mistake.help(format!(
        "choose another name, or declare `state {name}: {};` if it is carried from step to step",
        text::shape(&declaration.shape)
    ));
}

fn collect_functions(cell: &Cell, names: &mut Names, diagnostics: &mut Diagnostics) {
    for (index, function) in cell.functions.iter().enumerate() {
        let name = &function.name;
        if ops::find(&key(name)).is_some() {
            diagnostics.error(name, format!("`{name}` is a built-in function")).help("choose another name");
        } else if let Entry::Vacant(entry) = names.functions.entry(key(name)) {
            entry.insert(index);
        } else {
            diagnostics
                .error(name, format!("function `{name}` is defined twice"))
                .help("rename one of them, or remove it");
        }
    }
}

fn report_undefined_states(cell: &Cell, names: &mut Names, diagnostics: &mut Diagnostics) {
    for (index, declaration) in cell.declarations.iter().enumerate() {
        let name = &declaration.name;
        let is_first = names.look_up(name) == Lookup::Found(Definition::Declaration(index));
        if declaration.kind != DeclarationKind::State
            || !is_first
            || names.state_values[index].is_some()
            || names.is_poisoned(name)
        {
            continue;
        }
        let mistake = diagnostics.error(name, format!("state `{name}` is never given a value"));
        mistake.unless_missing(Missing::Definition);
        mistake.note("every state needs one equation, which gives its value at the end of a step");
        match misnamed(cell, names, name) {
            Some((target, written)) => {
                names.misnamed.push(target);
                mistake.help(format!("should the equation `{written} = ..` be `{name} = ..`?"));
            }
            None => {
                mistake.help(format!("add an equation `{name} = ..;`"));
            }
        }
    }
}

/// Returns the equation that was probably meant for a state, such as `h_t = ..` or a misspelling of
/// `h`.
fn misnamed(cell: &Cell, names: &Names, state: &Ident) -> Option<(Target, String)> {
    let state = key(state);
    let targets: Vec<(Target, String)> = cell
        .equations
        .iter()
        .enumerate()
        .flat_map(|(index, equation)| {
            equation
                .targets
                .iter()
                .enumerate()
                .map(move |(place, name)| (Target { equation: index, index: place }, key(name)))
        })
        .filter(|(target, name)| names.look_up_key(name) == Lookup::Found(Definition::Target(*target)))
        .collect();
    let habit = targets.iter().find(|(_, name)| time_habit(name) == Some((state.as_str(), Habit::Present)));
    if let Some(habit) = habit {
        return Some(habit.clone());
    }
    let near = nearest(&state, targets.iter().map(|(_, name)| name.as_str()))?;
    targets.iter().find(|(_, name)| name == near).cloned()
}

/// Looks up the dimensions in every shape. Returns a flag for each dimension: a shape uses it.
pub fn check_dimensions(cell: &Cell, names: &Names, diagnostics: &mut Diagnostics) -> Vec<bool> {
    let mut used = vec![false; cell.dimensions.len()];
    let mut missing = HashSet::new();
    let asserted = cell.equations.iter().filter_map(|equation| equation.shape.as_ref());
    let shapes = cell.declarations.iter().map(|declaration| &declaration.shape).chain(asserted);
    let terms = shapes.flat_map(dimensions_of).flat_map(|dimension| &dimension.terms);
    let numbers = cell.heads.iter().filter_map(|block| block.number.as_ref());
    for name in terms.chain(numbers).flat_map(|term| [&term.name, &term.size]).flatten() {
        match names.look_up(name) {
            Lookup::Found(Definition::Dimension(index)) => used[index] = true,
            Lookup::Found(definition) => {
                let what = what_it_is(cell, definition);
                diagnostics
                    .error(name, format!("`{name}` is {what}, not a dimension"))
                    .help(format!("dimensions are declared with the cell: `cell {}<..>`", cell.name));
            }
            Lookup::Poisoned => {}
            Lookup::Unknown => {
                let known: Vec<String> = cell.dimensions.iter().map(key).collect();
                let near = nearest(&key(name), known.iter().map(String::as_str));
                if let Some(near) = near {
                    if let Some(index) = known.iter().position(|dimension| dimension == near) {
                        used[index] = true;
                    }
                    diagnostics
                        .error(name, format!("unknown dimension `{name}`"))
                        .help(format!("should this be `{near}`?"));
                } else if missing.insert(key(name)) {
                    diagnostics
                        .error(name, format!("unknown dimension `{name}`"))
                        .help(format!("declare it: `{}`", text::cell_head(cell, name)));
                }
            }
        }
    }
    used
}

fn dimensions_of(shape: &ShapeSyntax) -> &[DimSyntax] {
    match &shape.kind {
        ShapeKind::Dense(dimensions) => dimensions,
        ShapeKind::OneHot(size) => std::slice::from_ref(size),
        ShapeKind::Unknown => &[],
    }
}

/// Returns the kind of a definition: `an input`, `a dimension`, `an equation`.
pub fn what_it_is(cell: &Cell, definition: Definition) -> String {
    match definition {
        Definition::Dimension(_) => "a dimension".to_owned(),
        Definition::Declaration(index) => text::a_kind(cell.declarations[index].kind),
        Definition::Target(_) => "an equation".to_owned(),
    }
}
