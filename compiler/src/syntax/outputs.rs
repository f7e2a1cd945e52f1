//! The outputs of a step: `output h, y;`

use super::ast::Equation;
use super::cursor::Cursor;
use super::recover::{Parser, Sign, defines, sign, starts_item};
use crate::diagnostics::Extent;
use proc_macro2::Ident;

impl Parser<'_> {
    /// Parses `output h, y;`.
    pub fn output(&mut self, c: &mut Cursor) {
        let output = c.ident(0).cloned();
        let keyword = c.skip(1);
        if sign(c, 0) == Some(Sign::Colon) {
            self.diagnostics
                .error(c.here(), "expected a name after `output`, found `:`")
                .help("write `output h;`");
            c.skip(1);
        }
        let mut is_empty = true;
        while !c.at(0, ";") && !c.at_end() {
            if self.begins_item(c, 0) {
                break;
            }
            let Some(name) = c.ident(0).cloned() else { return self.odd_output(c) };
            is_empty = false;
            c.skip(1);
            if self.shaped_output(c, &name) {
                return;
            }
            if self.can_define(&name) {
                self.cell.outputs.push(name.clone());
            } else {
                self.cell.mentioned.extend(output.clone());
            }
            if c.at(0, ",") && !self.begins_item(c, 1) && c.peek(1).is_some() {
                c.skip(1);
            } else if c.ident(0).is_some() && !starts_item(c, 0) {
                let fact = format!("missing `,` between `{name}` and {}", c.found());
                self.diagnostics.error(Extent::from(&name).to(c.here()), fact);
            } else {
                break;
            }
        }
        if !is_empty {
            return self.end_item(c);
        }
        // The cell has an output, but any value may be the intended one.
        self.cell.mentioned.extend(output);
        self.diagnostics.error(keyword, "expected a name after `output`").help("write `output h;`");
        if c.at(0, ";") {
            c.skip(1);
        }
    }

    /// Returns whether another item begins. `output y = ..;` is one item, but a `y = ..;` on the
    /// next line is another.
    fn begins_item(&self, c: &Cursor, ahead: usize) -> bool {
        starts_item(c, ahead) && (c.starts_line(ahead) || !defines(c, ahead + 1))
    }

    /// Reports `output y = ..;`, `output y: [H];`, `output h[t];` and `output tanh(c);`. Returns
    /// true if the item is finished.
    fn shaped_output(&mut self, c: &mut Cursor, name: &Ident) -> bool {
        let define = format!("define it by an equation, `{name} = ..;`, then `output {name};`");
        if c.at_equals(0) {
            self.diagnostics.error(c.here(), "`output` names a value and doesn't define it").help(define);
            let target_extent = Extent::from(name);
            c.skip(1);
            let value = self.expr(c);
            if self.can_define(name) {
                self.cell.outputs.push(name.clone());
                self.cell.equations.push(Equation {
                    attributes: vec![],
                    heads_block: self.heads_block,
                    targets: vec![name.clone()],
                    is_split: false,
                    target_extent,
                    shape: None,
                    value,
                });
            }
            self.end_item(c);
            return true;
        }
        if sign(c, 0) == Some(Sign::Colon) {
            let first = c.skip(1);
            let shape = self.shape(c);
            self.diagnostics
                .error(first.to(shape.extent), "an output has no shape of its own")
                .help(format!("write `output {name};`; its equation has the shape"));
            if c.at_equals(0) {
                return self.shaped_output(c, name);
            }
            return false;
        }
        if let Some(group) = c.bracket(0).cloned() {
            let at = c.skip(1);
            self.mention_tokens(group.stream());
            self.diagnostics
                .error(at, "an output is just a name")
                .help(format!("write `output {name};` for the value of the current step"));
            return false;
        }
        let ends = c.at_end() || c.at(0, ";") || c.at(0, ",") || c.ident(0).is_some() || starts_item(c, 0);
        if ends {
            return false;
        }
        self.cell.mentioned.push(name.clone());
        self.odd_output(c);
        true
    }

    fn odd_output(&mut self, c: &mut Cursor) {
        self.diagnostics.error(c.here(), format!("an output is a name, found {}", c.found())).help(
            "to return an expression, name it: `y = ..;`, then `output y;`; for several outputs write `output h, y;`",
        );
        self.pass(c);
        self.skip_item(c);
    }
}
