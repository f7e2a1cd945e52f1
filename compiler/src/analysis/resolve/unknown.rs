//! Names that are undefined, or undefined at the step at which they are read, with suggestions.

use super::findings::{Reader, Walk};
use super::names::{Definition, Lookup, key, what_it_is};
use crate::analysis::initialisers;
use crate::diagnostics::Missing;
use crate::graph::ops;
use crate::syntax::ast::{DeclarationKind, Expr, Time};
use crate::syntax::suggest::{Habit, foreign_function, nearest, time_habit};
use crate::syntax::text;
use proc_macro2::Ident;

/// The largest number of searches for similar names, since each compares the unknown name with
/// every known one.
const MOST_SEARCHES: usize = 100;

impl Walk<'_> {
    pub(super) fn unknown_name(&mut self, expr: &Expr, name: &Ident, time: &Time, reader: Reader) {
        let written = key(name);
        if let Reader::Function(function) = reader {
            return self.unknown_in_function(name, function);
        }
        if let Reader::Initial(state) = reader
            && initialisers::is_initialiser(&written)
        {
            return self.random_state(name, state, expr);
        }
        if written == "t" {
            self.diagnostics
                .error(expr.extent, "`t` is the current step and has no value")
                .help("a state can count: `state n: [];` and `n = n[t-1] + 1;`");
            return;
        }
        if ops::find(&written).is_some() || self.names.function(name).is_some() {
            self.diagnostics
                .error(expr.extent, format!("`{name}` is a function, not a value"))
                .help(format!("call it: `{name}(..)`"));
            return;
        }
        if let Some((base, habit)) = time_habit(&written)
            && let Lookup::Found(definition) = self.names.look_up_key(base)
            && !matches!(definition, Definition::Dimension(_))
        {
            let help = self.habit_help(base, habit, definition);
            self.diagnostics.error(expr.extent, format!("unknown name `{name}`")).help(help);
            self.read(reader, definition, None, expr);
            return;
        }
        if self.unknown.reported.contains(&written) {
            return;
        }
        self.unknown.searches += 1;
        let known = if self.unknown.searches <= MOST_SEARCHES {
            self.value_names(&written, time, reader)
        } else {
            vec![]
        };
        if let Some(near) = nearest(&written, known.iter().map(String::as_str)) {
            let meant = format!("{near}{}", text::index(time));
            let is_spelling = near.to_lowercase() == written.to_lowercase();
            let mistake = self.diagnostics.error(expr.extent, format!("unknown name `{name}`"));
            mistake.help(format!("should this be `{meant}`?"));
            if !is_spelling {
                mistake.unless_missing(Missing::Definition);
            }
            if let Lookup::Found(definition) = self.names.look_up_key(near) {
                self.read(reader, definition, None, expr);
            }
        } else {
            self.unknown.reported.insert(written);
            let help = match (reader, time) {
                (Reader::Initial(state), _) => {
                    let state = &self.cell.declarations[state];
                    let is_whole = state.initial.as_ref().is_some_and(|initial| initial.id == expr.id);
                    let shape = if is_whole { text::shape(&state.shape) } else { "[..]".to_owned() };
                    format!("declare it: `param {name}: {shape};`")
                }
                (_, Time::Offset(-1)) => format!("declare it: `state {name}: [..];`"),
                _ => format!("declare it, or define it by an equation `{name} = ..;`"),
            };
            self.diagnostics
                .error(expr.extent, format!("unknown name `{name}`"))
                .help(help)
                .unless_missing(Missing::Definition);
        }
    }

    fn unknown_in_function(&mut self, name: &Ident, function: usize) {
        let function = &self.cell.functions[function];
        let arguments: Vec<String> = function.arguments.iter().map(key).collect();
        let near = nearest(&key(name), arguments.iter().map(String::as_str)).map(str::to_owned);
        let mistake = self.diagnostics.error(name, format!("unknown name `{name}`"));
        mistake.note(format!("`fn {}` reads only its arguments, numbers and dimensions", function.name));
        match near {
            Some(near) => mistake.help(format!("should this be `{near}`?")),
            None => mistake.help(format!("make it an argument of `{}`", function.name)),
        };
    }

    /// Returns the names that may have been meant by `written`.
    fn value_names(&self, written: &str, time: &Time, reader: Reader) -> Vec<String> {
        let is_initial = matches!(reader, Reader::Initial(_));
        let may_be_read = |kind: DeclarationKind| {
            !is_initial || !matches!(kind, DeclarationKind::Input | DeclarationKind::State)
        };
        let declarations = self.cell.declarations.iter().filter(|declared| may_be_read(declared.kind));
        let mut known: Vec<String> = declarations.map(|declared| key(&declared.name)).collect();
        if !is_initial {
            known.extend(self.cell.equations.iter().flat_map(|equation| &equation.targets).map(key));
        }
        // A single letter such as `h` was probably not meant to be the dimension `H`.
        if *time == Time::Implicit && written.chars().count() > 1 {
            known.extend(self.cell.dimensions.iter().map(key));
        }
        known
    }

    fn habit_help(&self, base: &str, habit: Habit, definition: Definition) -> String {
        let is_state = self.kind(definition) == Some(DeclarationKind::State);
        match (habit, is_state) {
            (Habit::Previous, true) => format!("for the previous value write `{base}[t-1]`"),
            (Habit::Present, true) => {
                format!("the previous value is `{base}[t-1]`, the current one `{base}`")
            }
            (Habit::Previous, false) if self.changes(definition) => {
                format!("for the previous value write `{base}[t-1]`")
            }
            (Habit::Previous | Habit::Present, false) => format!("should this be `{base}`?"),
        }
    }

    fn kind(&self, definition: Definition) -> Option<DeclarationKind> {
        match definition {
            Definition::Declaration(index) => Some(self.cell.declarations[index].kind),
            _ => None,
        }
    }

    /// Returns whether the value can differ between steps.
    fn changes(&self, definition: Definition) -> bool {
        match self.kind(definition) {
            Some(kind) => matches!(kind, DeclarationKind::Input | DeclarationKind::State),
            None => matches!(definition, Definition::Target(_)),
        }
    }

    pub(super) fn unknown_function(
        &mut self,
        function: &Ident,
        arguments: &[Expr],
        reader: Reader,
        call: &Expr,
    ) {
        let value = self.names.look_up(function);
        if value == Lookup::Poisoned {
            return;
        }
        if let Lookup::Found(definition) = value {
            return self.called_value(function, arguments, reader, call, definition);
        }
        let written = key(function);
        if self.unknown.reported_functions.contains(&written) {
            return;
        }
        if let Reader::Initial(state) = reader
            && initialisers::is_initialiser(&written)
        {
            return self.random_state(function, state, call);
        }
        let mut known: Vec<String> = ops::names().map(str::to_owned).collect();
        known.extend(self.cell.functions.iter().map(|function| key(&function.name)));
        let folded = nearest(&written, known.iter().map(String::as_str));
        let mistake = self.diagnostics.error(function, format!("unknown function `{function}`"));
        match (foreign_function(&written), folded) {
            (Some(help), _) => mistake.help(help),
            (None, Some(near)) => mistake.help(format!("should this be `{near}`?")),
            (None, None) => {
                self.unknown.reported_functions.insert(written);
                mistake.help(format!("define it: `fn {function}(u) = ..;`"))
            }
        };
    }

    fn called_value(
        &mut self,
        name: &Ident,
        arguments: &[Expr],
        reader: Reader,
        call: &Expr,
        definition: Definition,
    ) {
        if !matches!(reader, Reader::Function(_)) {
            self.read(reader, definition, None, call);
        }
        let what = what_it_is(self.cell, definition);
        let mistake = self.diagnostics.error(name, format!("`{name}` is {what}, not a function"));
        let is_dimension = matches!(definition, Definition::Dimension(_));
        mistake.help(match arguments {
            [argument] if is_dimension => format!("a product is `{name} * {}`", text::operand(argument)),
            [argument] => {
                let argument = text::operand(argument);
                format!(
                    "a product needs its operator: `{name} * {argument}` is element-wise, `{name} @ {argument}` the \
                     matrix product"
                )
            }
            _ => "a function is defined by `fn f(u) = ..;`".to_owned(),
        });
    }

    fn random_state(&mut self, function: &Ident, state: usize, call: &Expr) {
        let declaration = &self.cell.declarations[state];
        let name = &declaration.name;
        let shape = text::shape(&declaration.shape);
        let initialiser = text::short(call);
        self.diagnostics
            .error(function, format!("`{function}` is an initialiser of parameters and buffers"))
            .note(format!("the initial value of state `{name}` is computed anew for every sequence"))
            .help(format!(
                "`param {name}_0: {shape} = {initialiser};` (or `buffer`) and `state {name}: {shape} = {name}_0;`"
            ));
    }

    pub(super) fn argument_at_time(&mut self, expr: &Expr, name: &Ident) {
        self.diagnostics
            .error(expr.extent, format!("`{name}` is an argument and has no time index"))
            .help(format!("write `{name}`; the step is chosen where the function is called"));
    }

    pub(super) fn constant_at_time(&mut self, expr: &Expr, name: &Ident, definition: Definition) {
        let what = what_it_is(self.cell, definition);
        self.diagnostics
            .error(expr.extent, format!("`{name}` is {what} and has no time index"))
            .note("it is the same at every step")
            .help(format!("write `{name}`"));
    }

    pub(super) fn value_in_function(
        &mut self,
        expr: &Expr,
        name: &Ident,
        definition: Definition,
        function: usize,
    ) {
        let what = what_it_is(self.cell, definition);
        let function = &self.cell.functions[function].name;
        self.diagnostics
            .error(expr.extent, format!("`fn {function}` can't read `{name}`, which is {what}"))
            .note("a function reads only its arguments, numbers and dimensions")
            .help(format!("make it an argument of `{function}`"));
    }

    pub(super) fn step_value_in_initial(
        &mut self,
        expr: &Expr,
        name: &Ident,
        definition: Definition,
        state: usize,
    ) {
        let what = what_it_is(self.cell, definition);
        let state = &self.cell.declarations[state].name;
        self.diagnostics
            .error(
                expr.extent,
                format!("the initial value of `{state}` can't read `{name}`, which is {what}"),
            )
            .note("it is computed before the first step, from parameters, buffers and contexts");
    }
}
