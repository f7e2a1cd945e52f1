//! Blocks of heads: `heads K { state n: [D]; .. n = ..; }`, and the part of a head, `u.head`.

use super::ast::{DimTerm, Expr, ExprKind, Heads};
use super::cursor::Cursor;
use super::literals;
use super::recover::Parser;
use super::text;
use crate::diagnostics::{Extent, Missing};

const FORM: &str = "a block of heads is written `heads K { param W: [D, I]; y = W @ x; }`";

impl Parser<'_> {
    /// Parses `heads K { items }`.
    pub fn heads(&mut self, c: &mut Cursor) {
        let keyword = c.skip(1);
        let number = self.number_of_heads(c, keyword);
        let extent = keyword.to(c.previous());
        let Some(body) = c.brace(0).cloned() else {
            let error = self.diagnostics.error(extent, "expected `{ .. }` after the number of heads");
            error.help(FORM).leaves_out(Missing::Definition);
            return self.skip_item(c);
        };
        c.skip(1);
        let mut inside = Cursor::inside(&body);
        inside.holds_items = true;
        let block = self.cell.heads.len();
        self.cell.heads.push(Heads { number });
        if self.heads_block.is_some() {
            self.diagnostics
                .error(extent, "a block of heads can't contain another one")
                .note("each value would have two numbers of heads")
                .help("close the first block before the second one: `heads K { .. } heads J { .. }`");
            // The items belong to the outer block, so that their names are known.
            return self.all_items(&mut inside);
        }
        let (equations, poisoned) = (self.cell.equations.len(), self.cell.poisoned.len());
        self.heads_block = Some(block);
        self.all_items(&mut inside);
        self.heads_block = None;
        let is_intact = self.cell.poisoned.len() == poisoned;
        if self.cell.equations.len() == equations && is_intact {
            self.diagnostics
                .error(extent, "a block of heads without equations")
                .help("add an equation to the block, such as `y = W @ x;`")
                .leaves_out(Missing::Definition);
        }
    }

    /// Parses the number of heads: a dimension or a literal.
    fn number_of_heads(&mut self, c: &mut Cursor, keyword: Extent) -> Option<DimTerm> {
        let first = c.here();
        let name = c.ident(0).cloned();
        let literal = c.literal(0).and_then(literals::whole);
        let count = literal.filter(|count| (1..=1 << 16).contains(count));
        if c.brace(1).is_some() && (name.is_some() || count.is_some()) {
            c.skip(1);
            let count = count.unwrap_or(1);
            return Some(DimTerm { count, name, size: None, has_number_last: false });
        }
        let fact = "the number of heads is a dimension of the cell or a whole number";
        if c.brace(0).is_some() {
            self.diagnostics.error(keyword, "expected the number of heads after `heads`").help(FORM);
            return None;
        }
        while !c.at_end() && c.brace(0).is_none() && !c.at(0, ";") {
            self.pass(c);
        }
        let error = self.diagnostics.error(first.to(c.previous()), fact);
        error.help("write `heads K { .. }` with a dimension `K`, or `heads 4 { .. }`");
        None
    }

    /// Returns whether an item cannot be part of a block of heads, which is reported.
    pub fn is_outside_heads(&mut self, c: &Cursor, word: &str) -> bool {
        let (fact, help) = match word {
            "input" | "context" => (
                format!("`{word}` within a block of heads"),
                "declare it outside of the block: all heads share it, and of a `u: [K*D]` each reads its \
                 own part, `u.head`",
            ),
            "output" => (
                "`output` within a block of heads".to_owned(),
                "write it outside of the block: the output is the stack of all heads",
            ),
            "fn" => (
                "`fn` within a block of heads".to_owned(),
                "define the function outside of the block: it is the same for all heads",
            ),
            _ => return false,
        };
        self.diagnostics.error(c.here(), fact).help(help);
        true
    }

    /// Returns the node of `u.head`.
    pub fn head_of(&mut self, base: Expr, extent: Extent) -> Expr {
        if matches!(base.kind, ExprKind::Error) {
            return self.error(extent);
        }
        if !matches!(base.kind, ExprKind::Name { .. }) {
            self.diagnostics
                .error(extent, format!("`.head` can't follow `{}`", text::operand(&base)))
                .help("only the name of a value has parts: give it one, `u = ..;`, outside of the block and write `u.head`");
            return self.error_of(extent, &[&base]);
        }
        self.node(ExprKind::Head(Box::new(base)), extent)
    }
}
