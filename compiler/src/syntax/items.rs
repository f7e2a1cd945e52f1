//! The items of a cell. The first tokens determine the kind of the item.

use super::cursor::Cursor;
use super::operands::Index;
use super::parse::{attribute_extent, attributes};
use super::recover::{Parser, Sign, defines, sign, starts_heads};
use super::words;
use proc_macro2::Group;
use syn::Attribute;

impl Parser<'_> {
    /// Parses all items in the braces of a cell.
    pub fn items(&mut self, body: &Group) {
        let mut c = Cursor::inside(body);
        c.holds_items = true;
        for ahead in 0..c.len() {
            if let (true, Some(name)) = (c.word(ahead, "fn"), c.ident(ahead + 1)) {
                self.functions.insert(name.to_string());
            }
        }
        self.all_items(&mut c);
    }

    /// Parses items up to the end of the braces.
    pub fn all_items(&mut self, c: &mut Cursor) {
        while !c.at_end() {
            let before = c.len();
            self.item(c);
            debug_assert!(c.len() < before, "an item consists of at least one token");
            if c.len() >= before {
                c.skip(1);
            }
        }
    }

    fn item(&mut self, c: &mut Cursor) {
        self.is_too_deep = false;
        let docs = self.documentation(c);
        if c.at(0, "#") {
            self.diagnostics.error(c.here(), "`#` does not begin a comment").help("comments begin with `//`");
            return self.skip_line(c);
        }
        if c.at(0, ";") {
            c.skip(1);
            return;
        }
        if c.at_end() {
            if let Some(last) = docs.last() {
                self.diagnostics
                    .error(attribute_extent(last), "a doc comment that documents nothing")
                    .help("other comments begin with `//`");
            }
            return;
        }
        let Some(word) = c.ident(0).map(ToString::to_string) else { return self.nameless(c, docs) };
        if starts_heads(c, 0) {
            return self.heads(c);
        }
        // `let [a, b] = x;` and `input [x, m]: [I];` do not define `let` or `input`.
        let is_pattern = (word == "let" || words::begins_item(&word))
            && c.bracket(1).is_some_and(|group| !Index::read(group).is_time());
        if defines(c, 1) && !is_pattern && !self.is_declaration_with_colon(c, &word) {
            return self.equation(c, docs);
        }
        let heads_block = self.heads_block;
        if self.heads_block.is_some() && self.is_outside_heads(c, &word) {
            self.heads_block = None;
        }
        self.worded(c, docs, &word);
        self.heads_block = heads_block;
    }

    /// Parses an item that begins with a keyword.
    fn worded(&mut self, c: &mut Cursor, docs: Vec<Attribute>, word: &str) {
        if let Some(kind) = words::declaration(word) {
            return self.declaration(c, kind, &docs);
        }
        match word {
            "output" => self.output(c),
            "fn" => self.function(c),
            _ => self.foreign_item(c, docs, word),
        }
    }

    /// Returns whether a colon follows the keyword of a declaration, as in `input: x: [I];`. In
    /// contrast, `state: [H] = ..;` is meant as an equation.
    fn is_declaration_with_colon(&self, c: &Cursor, word: &str) -> bool {
        words::begins_item(word) && sign(c, 1) == Some(Sign::Colon) && c.ident(2).is_some()
    }

    /// Parses doc comments and reports all other attributes, which are not allowed in a cell.
    pub fn documentation(&mut self, c: &mut Cursor) -> Vec<Attribute> {
        let mut list = attributes(c, self.diagnostics);
        list.retain(|attribute| {
            let is_doc = attribute.path().is_ident("doc");
            if !is_doc {
                let name =
                    attribute.path().segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                self.diagnostics
                    .error(
                        attribute_extent(attribute),
                        format!("`#[{name}]` isn't allowed on an item of a cell"),
                    )
                    .help("attributes go before `cell`; items take only doc comments");
            }
            is_doc
        });
        list
    }

    /// Parses an item that does not begin with a name: a split, or a mistake.
    fn nameless(&mut self, c: &mut Cursor, docs: Vec<Attribute>) {
        let group = c.any_group(0).cloned();
        if let (Some(group), true) = (&group, sign(c, 1).is_some()) {
            return self.split(c, docs, group);
        }
        let fact = format!("expected a declaration or an equation, found {}", c.found());
        self.diagnostics.error(c.here(), fact).help(
            "items are declarations such as `input x: [I];`, equations such as `h = ..;`, and `output h;`",
        );
        self.pass(c);
        self.skip_item(c);
    }
}
