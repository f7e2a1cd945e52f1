//! Items that are not part of the language: `let`, `if`, `for`, unknown keywords, names without an
//! equation.

use super::ast::Time;
use super::cursor::Cursor;
use super::operands::Index;
use super::recover::{Parser, Sign, defines, sign, starts_item};
use super::words;
use crate::diagnostics::Extent;
use crate::syntax::text;
use proc_macro2::{Group, Ident};
use syn::Attribute;

impl Parser<'_> {
    /// Parses an item that begins with `word` and is neither a declaration nor an equation.
    pub fn foreign_item(&mut self, c: &mut Cursor, docs: Vec<Attribute>, word: &str) {
        let at = c.here();
        match word {
            "let" | "mut" => self.binding(c, docs),
            "pub" => {
                let _ = super::parse::visibility(c, self.diagnostics);
                self.diagnostics
                    .error(at, "items have no visibility")
                    .help("parameters and states are public fields");
            }
            "if" | "match" | "for" | "while" | "loop" => {
                let (fact, help) = match word {
                    "if" | "match" => {
                        (format!("there is no `{word}`"), "choose entry by entry: `y = where(a >= b, u, v);`")
                    }
                    _ => (
                        "there are no loops".to_owned(),
                        "equations describe one step; the cell runs the steps of a sequence",
                    ),
                };
                self.diagnostics.error(at, fact).help(help);
                self.skip_blocks(c);
            }
            "cell" if c.ident(1).is_some() => {
                self.diagnostics
                    .error(at, "a cell can't contain another cell")
                    .help("close the previous cell with `}`; cells are stacked where they are used");
                self.skip_blocks(c);
            }
            "const" if is_const_dimension(c) => {
                let name = c.ident(1).map(ToString::to_string).unwrap_or_default();
                self.diagnostics
                    .error(at, "a dimension is declared in the head of the cell")
                    .help(format!("write `cell {}<.., {name}>`", self.cell.name));
                let name = c.ident(1).cloned();
                name.iter().for_each(|name| self.poison(name));
                c.skip(1);
                self.skip_item(c);
            }
            "use" | "struct" | "impl" | "enum" | "trait" | "mod" | "type" | "extern" | "macro_rules"
            | "import" | "class" => {
                self.diagnostics
                    .error(at, format!("`{word}` isn't allowed in a cell"))
                    .help("write it outside of `rnn_cell!`");
                self.skip_blocks(c);
            }
            _ => self.unknown_item(c, docs, word),
        }
    }

    /// Parses `let f = ..;`.
    fn binding(&mut self, c: &mut Cursor, docs: Vec<Attribute>) {
        let mut at = c.skip(1);
        if c.word(0, "mut") {
            at = at.to(c.skip(1));
        }
        let mut value = c.clone();
        value.skip(2);
        let is_closure = c.ident(0).is_some() && c.at_equals(1) && value.at(0, "|");
        if !is_closure {
            self.diagnostics.error(at, "equations have no `let`").help(match c.ident(0) {
                Some(name) => format!("drop it: `{name} = ..;`"),
                None => "drop it: `[a, b] = ..;`".to_owned(),
            });
        }
        if c.ident(0).is_some() && defines(c, 1) {
            self.equation(c, docs);
        } else if c.any_group(0).is_none() {
            self.skip_item(c);
        }
        // A pattern is parsed next, as the split that it represents.
    }

    /// Skips `if a { .. } else { .. }` and similar blocks. Names that are defined in them do not
    /// count as missing.
    fn skip_blocks(&mut self, c: &mut Cursor) {
        self.pass(c);
        loop {
            if c.at_end() || (starts_item(c, 0) && c.starts_line(0)) {
                return;
            }
            if c.at(0, ";") {
                c.skip(1);
                return;
            }
            let block = c.brace(0).cloned();
            let is_block = block.is_some();
            if let Some(block) = block {
                self.poison_definitions(&block);
            }
            self.pass(c);
            if is_block && !c.word(0, "else") && !c.at(0, ";") {
                return;
            }
        }
    }

    fn poison_definitions(&mut self, block: &Group) {
        let mut c = Cursor::inside(block);
        while !c.at_end() {
            if let Some(name) = c.ident(0).cloned()
                && defines(&c, 1)
            {
                self.poison(&name);
            }
            c.skip(1);
        }
    }

    fn unknown_item(&mut self, c: &mut Cursor, docs: Vec<Attribute>, word: &str) {
        let at = c.here();
        let meant = words::meant(word);
        let then_names = c.ident(1).is_some();
        let then_colon = sign(c, 2) == Some(Sign::Colon) || c.at(2, ",");
        if let (Some(meant), true) = (meant, then_names) {
            self.diagnostics
                .error(at, format!("unknown item `{word}`"))
                .help(format!("should this be `{meant}`?"));
            return match words::declaration(meant) {
                Some(kind) => self.declaration(c, kind, &docs),
                None if meant == "output" => self.output(c),
                None => self.function(c),
            };
        }
        if then_names && then_colon {
            self.diagnostics
                .error(at, format!("unknown item `{word}`"))
                .help("a declaration begins with `input`, `context`, `state`, `param` or `buffer`");
            c.skip(1);
            while let Some(name) = c.ident(0).cloned() {
                self.poison(&name);
                c.skip(1);
                if !c.at(0, ",") {
                    break;
                }
                c.skip(1);
            }
            return self.skip_item(c);
        }
        if c.at(1, ",") && is_name_list(c) {
            return self.bare_split(c, docs);
        }
        if let (Some(group), Some(name), true) =
            (c.parenthesis(1).cloned(), c.ident(0).cloned(), c.at_equals(2))
        {
            return match Index::read(&group) {
                Index::Time(offset) => {
                    let shown = text::timed(&name, &Time::Offset(offset));
                    let at = Extent::new(group.span_open(), group.span_close());
                    self.diagnostics
                        .error(at, "a time index is written in brackets")
                        .help(format!("write `{name} = ..;` or `{shown} = ..;`"));
                    let target_extent = c.skip(2);
                    self.equation_of(c, docs, name, target_extent);
                }
                _ => self.bare_function(c, name),
            };
        }
        if c.word(0, "self") && c.at(1, ".") && c.ident(2).is_some() {
            let at = c.skip(2);
            self.diagnostics.error(at, "there is no `self` in a cell").help("write the name alone");
            return;
        }
        if c.parenthesis(1).is_some() || c.bracket(1).is_some() || c.at(1, ".") {
            self.diagnostics
                .error(at, "an expression alone is not an item")
                .help("give it a name: `y = ..;`, and write `output y;` if it is an output");
            self.pass(c);
            return self.skip_item(c);
        }
        let Some(name) = c.ident(0).cloned() else { return self.skip_item(c) };
        c.skip(1);
        let fact = format!("expected `=` or `:` after `{name}`, found {}", c.found());
        let at = if c.at_end() || c.at(0, ";") { Extent::from(&name) } else { c.here() };
        let help = match meant {
            Some(meant) => format!("should this be `{meant}`?"),
            None => format!("an equation is written `{name} = ..;`"),
        };
        self.diagnostics.error(at, fact).help(help);
        self.poison(&name);
        self.skip_item(c);
    }

    /// Parses `swish(u) = ..;`, a function without `fn`.
    fn bare_function(&mut self, c: &mut Cursor, name: Ident) {
        let at = c.here();
        self.diagnostics
            .error(at, format!("expected `fn` before the function `{name}`"))
            .help(format!("write `fn {name}(u) = ..;`"));
        self.functions.insert(name.to_string());
        c.skip(1);
        self.function_of(c, name);
    }
}

fn is_const_dimension(c: &Cursor) -> bool {
    c.ident(1).is_some() && c.at(2, ":") && c.word(3, "usize")
}

/// Returns whether a list of names is followed by `=` or `:`, as in `a, b =` or `a, b:`.
fn is_name_list(c: &Cursor) -> bool {
    let mut ahead = 0;
    while c.ident(ahead).is_some() && c.at(ahead + 1, ",") {
        ahead += 2;
    }
    c.ident(ahead).is_some() && matches!(sign(c, ahead + 1), Some(Sign::Equals | Sign::Colon))
}
