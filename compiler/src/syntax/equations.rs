//! Equations and splits: `name = expr;`, `name: [H] = expr;`, `[a, b] = expr;`

use super::ast::Equation;
use super::cursor::Cursor;
use super::habits::closure_arguments;
use super::operands::Index;
use super::recover::{Parser, Sign, sign, starts_item};
use crate::diagnostics::Extent;
use crate::syntax::text;
use proc_macro2::{Delimiter, Group, Ident};
use syn::Attribute;

impl Parser<'_> {
    /// Parses an equation: `name = expr;`, `name[t] = expr;`, `name: [H] = expr;`.
    pub fn equation(&mut self, c: &mut Cursor, attributes: Vec<Attribute>) {
        let Some(name) = c.ident(0).cloned() else { return self.skip_item(c) };
        let target_extent = c.skip(1);
        self.equation_of(c, attributes, name, target_extent);
    }

    /// Parses the rest of an equation whose name has been taken.
    pub fn equation_of(
        &mut self,
        c: &mut Cursor,
        attributes: Vec<Attribute>,
        name: Ident,
        mut target_extent: Extent,
    ) {
        // In `h[t+1] = f(h[t])`, the value is also one step late.
        let mut is_shifted = false;
        if let Some(group) = c.bracket(0).cloned() {
            let at = c.skip(1);
            target_extent = target_extent.to(at);
            is_shifted = matches!(Index::read(&group), Index::Time(offset) if offset > 0);
            if !self.is_current(&name, &group, at) {
                self.mention_tokens(group.stream());
                return self.skip_item(c);
            }
        }
        let mut shape = None;
        if sign(c, 0) == Some(Sign::Colon) {
            c.skip(1);
            shape = Some(self.shape(c));
            if !matches!(sign(c, 0), Some(Sign::Equals | Sign::Compound(_) | Sign::Foreign(_))) {
                self.diagnostics
                    .error(target_extent.to(c.previous()), format!("`{name}` has a shape and no value"))
                    .help(format!(
                        "a declaration begins with its kind, as in `param {name}: ..;`; an equation ends with its value, `{name}: .. = ..;`"
                    ));
                self.poison(&name);
                return self.end_item(c);
            }
        }
        if let Some((arguments, _)) = function_arguments(c) {
            return self.closure_item(c, name, &arguments);
        }
        let can_define = self.can_define(&name);
        let found = sign(c, 0);
        let sign_extent = c.skip(found.map_or(1, Sign::length));
        let mut value = self.expr(c);
        match found {
            Some(Sign::Compound(operator)) => {
                let right = text::short(&value);
                let help = match operator {
                    '%' | '^' => format!("write `{name} = ..`"),
                    '*' | '/' | '@' => {
                        format!("write `{name} = {name}[t-1] {operator} {}`", text::operand(&value))
                    }
                    _ => format!("write `{name} = {name}[t-1] {operator} {right}`"),
                };
                self.diagnostics
                    .error(
                        sign_extent,
                        format!("an equation gives the whole value: there is no `{operator}=`"),
                    )
                    .help(help);
                value = self.error_of(value.extent, &[&value]);
            }
            Some(Sign::Foreign(written)) => {
                self.diagnostics
                    .error(sign_extent, format!("an equation is written with `=`, not with `{written}`"))
                    .help(format!("write `{name} = ..;`"));
            }
            _ => {}
        }
        if is_shifted {
            value = self.error_of(value.extent, &[&value]);
        }
        let is_tuple = c.at(0, ",") && !starts_item(c, 1) && c.peek(1).is_some();
        if is_tuple {
            self.diagnostics
                .error(c.here(), "expected `;`, found `,`")
                .help("vectors are stacked in brackets: `[a, b]`; every item of a cell ends with `;`");
            value = self.error_of(value.extent, &[&value]);
        }
        if can_define {
            self.cell.equations.push(Equation {
                attributes,
                heads_block: self.heads_block,
                targets: vec![name],
                is_split: false,
                target_extent,
                shape,
                value,
            });
        } else {
            self.mention_expr(&value);
        }
        if is_tuple {
            return self.skip_item(c);
        }
        self.end_item(c);
    }

    /// Returns whether the brackets behind an equation's name are `[t]` or were meant to be.
    /// Reports all others.
    fn is_current(&mut self, name: &Ident, group: &Group, at: Extent) -> bool {
        let previous = format!("write `{name} = ..;`, with `{name}[t-1]` for the previous value");
        let (fact, help, is_current) = match Index::read(group) {
            Index::Time(0) => return true,
            Index::Time(offset) if offset > 0 => {
                ("an equation gives the value of the current step", previous, true)
            }
            Index::Time(-1) => ("an equation can't change the previous step", previous, true),
            Index::Time(_) | Index::Delay { .. } => {
                ("an equation can't change an earlier step", previous, true)
            }
            Index::WrongDelay(_) => ("an equation gives the value of the current step", previous, true),
            Index::Entry if Cursor::inside(group).literal(0).is_some() => (
                "there is no indexing",
                format!("an initial value is part of the declaration: `state {name}: [..] = 0;`"),
                false,
            ),
            _ => (
                "there is no indexing",
                "an equation gives a whole value; to split one write `[a, b] = ..;`".to_owned(),
                false,
            ),
        };
        self.diagnostics.error(at, fact).help(help);
        is_current
    }

    /// Parses `f = |u| ..;` as a function of the cell, and reports the closure.
    fn closure_item(&mut self, c: &mut Cursor, name: Ident, arguments: &str) {
        let first = c.skip(1);
        let length = function_arguments_at(c).map_or(1, |(_, length)| length);
        let bars = c.clone();
        let at = c.skip(length);
        self.diagnostics
            .error(at, "there are no closures")
            .help(format!("define a function of the cell: `fn {name}({arguments}) = ..;`"));
        let mut names = vec![];
        for ahead in 0..length {
            names.extend(bars.ident(ahead).cloned().and_then(|name| self.definable(name)));
        }
        self.functions.insert(name.to_string());
        let body = self.expr(c);
        let body = self.error_of(first.to(body.extent), &[&body]);
        self.define_function(name, names, body);
        self.end_item(c);
    }

    /// Parses `[f, i, o, g] = expr;`, and tuples in place of the brackets.
    pub fn split(&mut self, c: &mut Cursor, attributes: Vec<Attribute>, group: &Group) {
        let target_extent = c.skip(1);
        let mut inside = Cursor::inside(group);
        let mut targets = vec![];
        let mut is_whole = true;
        if inside.at_end() {
            self.diagnostics
                .error(target_extent, "a split without names")
                .help("`[a, b] = ..;` names the parts of a dimension that is a sum");
            is_whole = false;
        }
        while !inside.at_end() {
            let Some(name) = inside.ident(0).cloned() else {
                let fact = format!("expected a name, found {}", inside.found());
                self.diagnostics
                    .error(inside.here(), fact)
                    .help("a split has one name per term: `[a, b] = ..;`");
                is_whole = false;
                while !inside.at_end() && !inside.at(0, ",") {
                    self.pass(&mut inside);
                }
                inside.skip(1);
                continue;
            };
            inside.skip(1);
            targets.push(name);
            if inside.at(0, ",") {
                inside.skip(1);
            } else if !inside.at_end() {
                let fact = format!("expected `,`, found {}", inside.found());
                self.diagnostics
                    .error(inside.here(), fact)
                    .help("a split has one name per term: `[a, b] = ..;`");
                is_whole = false;
                while !inside.at_end() && !inside.at(0, ",") {
                    self.pass(&mut inside);
                }
                inside.skip(1);
            }
        }
        if group.delimiter() != Delimiter::Bracket {
            let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
            self.diagnostics
                .error(target_extent, "the names of a split are written in brackets")
                .help(format!("write `[{}] = ..;`", names.join(", ")));
        }
        self.split_value(c, attributes, targets, target_extent, is_whole);
    }

    fn split_value(
        &mut self,
        c: &mut Cursor,
        attributes: Vec<Attribute>,
        targets: Vec<Ident>,
        target_extent: Extent,
        is_whole: bool,
    ) {
        let found = sign(c, 0);
        let sign_extent = c.skip(found.map_or(1, Sign::length));
        if found == Some(Sign::Colon) {
            let shape = self.shape(c);
            self.diagnostics
                .error(sign_extent.to(shape.extent), "a split has no shape of its own")
                .help("assert the shape of the value: `z: [2*H] = ..;`, then `[a, b] = z;`");
            if !c.at_equals(0) {
                for name in &targets {
                    self.poison(name);
                }
                return self.skip_item(c);
            }
            c.skip(1);
        }
        if matches!(found, Some(Sign::Compound(_) | Sign::Foreign(_))) {
            self.diagnostics.error(sign_extent, "a split is written with `=`").help("write `[a, b] = ..;`");
        }
        let value = self.expr(c);
        let mut can_define = is_whole && !targets.is_empty();
        for name in &targets {
            can_define &= self.can_define(name);
        }
        if can_define {
            self.cell.equations.push(Equation {
                attributes,
                heads_block: self.heads_block,
                targets,
                is_split: true,
                target_extent,
                shape: None,
                value,
            });
        } else {
            for name in &targets {
                self.poison(name);
            }
            self.mention_expr(&value);
        }
        self.end_item(c);
    }

    /// Parses `a, b = expr;`.
    pub fn bare_split(&mut self, c: &mut Cursor, attributes: Vec<Attribute>) {
        let first = c.here();
        let mut targets = vec![];
        while let Some(name) = c.ident(0).cloned() {
            targets.push(name);
            c.skip(1);
            if c.at(0, ",") {
                c.skip(1);
            }
        }
        let target_extent = first.to(c.previous());
        let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        if sign(c, 0) == Some(Sign::Colon) {
            self.diagnostics
                .error(target_extent, "expected a declaration's kind before its names")
                .help(format!("write `param {names}: ..;`, or `input`, `state`, `context`, `buffer`"));
            targets.iter().for_each(|name| self.poison(name));
            return self.skip_item(c);
        }
        self.diagnostics
            .error(target_extent, "the names of a split are written in brackets")
            .help(format!("write `[{names}] = ..;`"));
        self.split_value(c, attributes, targets, target_extent, true);
    }
}

/// Returns the arguments of a closure behind the `=`.
fn function_arguments(c: &Cursor) -> Option<(String, usize)> {
    if !c.at_equals(0) {
        return None;
    }
    let mut value = c.clone();
    value.skip(1);
    function_arguments_at(&value)
}

fn function_arguments_at(c: &Cursor) -> Option<(String, usize)> {
    if c.at(0, "|") { closure_arguments(c) } else { None }
}
