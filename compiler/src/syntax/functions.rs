//! The cell's own functions: `fn swish(u) = u * sigmoid(u);`

use super::ast::{Expr, Function};
use super::cursor::Cursor;
use super::recover::Parser;
use crate::diagnostics::Extent;
use proc_macro2::{Group, Ident};

impl Parser<'_> {
    /// Parses `fn swish(u) = u * sigmoid(u);`.
    pub fn function(&mut self, c: &mut Cursor) {
        let keyword = c.skip(1);
        let Some(name) = c.ident(0).cloned() else {
            self.diagnostics
                .error(keyword, "expected a function's name after `fn`")
                .help("a function is written `fn f(u) = ..;`");
            return self.skip_item(c);
        };
        c.skip(1);
        self.function_of(c, name);
    }

    /// Parses the rest of a function whose name has been taken.
    pub fn function_of(&mut self, c: &mut Cursor, name: Ident) {
        let Some(group) = c.parenthesis(0).cloned() else {
            self.diagnostics
                .error(&name, format!("expected `(` and the arguments after `{name}`"))
                .help(format!("write `fn {name}(u) = ..;`"));
            self.poison(&name);
            return self.skip_item(c);
        };
        c.skip(1);
        let arguments = self.function_names(&name, &group);
        let shown: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let shown = shown.join(", ");
        if !c.at_equals(0) {
            let arrow = c.at(0, "->") || c.at(0, "=>");
            let fact = format!("expected `=` after the arguments, found {}", c.found());
            self.diagnostics
                .error(c.here(), fact)
                .help(format!("a function is one expression: `fn {name}({shown}) = ..;`"));
            let extent = c.here();
            let body = self.error(extent);
            self.define_function(name, arguments, body);
            if arrow {
                c.skip(2);
            }
            while c.brace(0).is_none() && !self.ends_item(c) {
                self.pass(c);
            }
            if c.brace(0).is_some() || c.at(0, ";") {
                self.pass(c);
            }
            return;
        }
        c.skip(1);
        let body = self.expr(c);
        self.define_function(name, arguments, body);
        self.end_item(c);
    }

    pub fn define_function(&mut self, name: Ident, arguments: Vec<Ident>, body: Expr) {
        if self.can_define(&name) {
            self.cell.functions.push(Function { name, arguments, body });
        } else {
            self.mention_expr(&body);
        }
    }

    fn function_names(&mut self, function: &Ident, group: &Group) -> Vec<Ident> {
        let mut c = Cursor::inside(group);
        let mut names = vec![];
        if c.at_end() {
            self.diagnostics
                .error(
                    Extent::new(group.span_open(), group.span_close()),
                    format!("`{function}` has no arguments"),
                )
                .help("a value without arguments is an equation or a `buffer`");
        }
        while !c.at_end() {
            let Some(name) = c.ident(0).cloned() else {
                let fact = format!("expected an argument's name, found {}", c.found());
                self.diagnostics.error(c.here(), fact).help(format!("write `fn {function}(u) = ..;`"));
                while !c.at_end() && !c.at(0, ",") {
                    c.skip(1);
                }
                c.skip(1);
                continue;
            };
            c.skip(1);
            if self.can_define(&name) {
                names.push(name.clone());
            }
            if !c.at_end() && !c.at(0, ",") {
                let first = c.here();
                while !c.at_end() && !c.at(0, ",") {
                    c.skip(1);
                }
                self.diagnostics
                    .error(first.to(c.previous()), "an argument is just a name")
                    .help(format!("write `{name}`: the function works entry by entry, on any shape"));
            }
            c.skip(1);
        }
        names
    }
}
