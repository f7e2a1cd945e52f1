//! Operands: numbers, names with their time index, calls, stacks, parentheses, and their suffixes.

use super::ast::{Expr, ExprKind, Time};
use super::cursor::Cursor;
use super::delays::{self, Step, WrongDelay, later_step};
use super::literals::{self, Number};
use super::recover::{ExprRole, Parser, starts_item};
use crate::diagnostics::{Extent, Missing};
use crate::syntax::text;
use proc_macro2::{Delimiter, Group, Ident, TokenTree};
use syn::ext::IdentExt;

/// The contents of the brackets behind a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Index {
    /// `[t]`, `[t-1]`, `[t+2]`
    Time(i64),
    /// `[t-D]`, `[t-2*D]`
    Delay { count: u64, dimension: Ident },
    /// `[t-0]`, `[t-(D+1)]`
    WrongDelay(WrongDelay),
    /// `[k-1]`, `[n - 1]`: a time index with another name for the step
    OtherClock,
    /// `[-1]`, as in Python
    Negative,
    /// An invalid time index that begins with `t`.
    BadTime,
    /// An entry or a range.
    Entry,
    /// Probably a stack, with an operator missing before it.
    Stack,
}

impl Index {
    pub fn read(group: &Group) -> Index {
        let c = Cursor::inside(group);
        if c.word(0, "t") {
            return match delays::read(&c) {
                Some(Step::Offset(offset)) => Index::Time(offset),
                Some(Step::Delay { count, dimension }) => Index::Delay { count, dimension },
                Some(Step::Wrong(wrong)) => Index::WrongDelay(wrong),
                None if Self::has_comma(&c) => Index::Stack,
                None => Index::BadTime,
            };
        }
        let distance = c.literal(2).and_then(literals::whole);
        if c.len() == 3 && c.at(1, "-") && distance == Some(1) && c.ident(0).is_some() {
            return Index::OtherClock;
        }
        if c.len() == 2 && c.at(0, "-") && c.literal(1).is_some() {
            return Index::Negative;
        }
        let is_entry = |token: &TokenTree| match token {
            TokenTree::Literal(_) => true,
            TokenTree::Punct(punct) => matches!(punct.as_char(), ',' | ':' | '.' | '-'),
            _ => false,
        };
        let all_entries = (0..c.len()).filter_map(|ahead| c.peek(ahead)).all(is_entry);
        let has_range = (0..c.len()).any(|ahead| c.at(ahead, ":") || c.at(ahead, ".."));
        let lone_name = c.len() == 1 && c.ident(0).is_some();
        if all_entries || has_range || lone_name { Index::Entry } else { Index::Stack }
    }

    /// Returns whether the index names a step.
    pub fn is_time(&self) -> bool {
        matches!(self, Index::Time(_) | Index::Delay { .. })
    }

    fn has_comma(c: &Cursor) -> bool {
        (0..c.len()).any(|ahead| c.at(ahead, ","))
    }
}

impl Parser<'_> {
    pub fn postfix(&mut self, c: &mut Cursor) -> Expr {
        let mut operand = self.operand(c);
        loop {
            if c.at(0, ".") && !c.at(0, ".*") && !c.at(0, "./") && !c.at(0, ".^") && !c.at(0, "..") {
                operand = self.dotted(c, operand);
                continue;
            }
            let Some(group) = c.bracket(0).cloned() else { return operand };
            if starts_item(c, 0) || !Index::read(&group).is_time() {
                return operand;
            }
            let extent = operand.extent.to(c.skip(1));
            if !matches!(operand.kind, ExprKind::Error) {
                let whole = text::operand(&operand);
                self.diagnostics
                    .error(extent, format!("a time index can't follow `{whole}`"))
                    .help("only a name can have one: write an equation `s = ..;` and read `s[t-1]`");
            }
            operand = self.error_of(extent, &[&operand]);
        }
    }

    fn operand(&mut self, c: &mut Cursor) -> Expr {
        match c.peek(0) {
            Some(TokenTree::Literal(_)) => self.number(c),
            Some(TokenTree::Ident(name)) => {
                let name = name.clone();
                if let Some(expr) = self.foreign_operand(c, &name) {
                    return expr;
                }
                c.skip(1);
                self.named(c, name)
            }
            Some(TokenTree::Group(group)) => {
                let group = group.clone();
                match group.delimiter() {
                    Delimiter::Bracket => self.stack(c, &group),
                    Delimiter::Parenthesis | Delimiter::None => self.parenthesised(c, &group),
                    Delimiter::Brace => {
                        let extent = c.here();
                        self.pass(c);
                        self.diagnostics
                            .error(extent, "braces have no meaning in an expression")
                            .help("group with `( .. )`, stack with `[ .. ]`");
                        self.error(extent)
                    }
                }
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '|' => self.closure(c),
            _ => self.no_operand(c),
        }
    }

    fn number(&mut self, c: &mut Cursor) -> Expr {
        let Some(literal) = c.literal(0).cloned() else { return self.no_operand(c) };
        let extent = c.skip(1);
        let (fact, help) = match literals::number(&literal) {
            Number::Value(value) => return self.node(ExprKind::Number(value), extent),
            Number::Typed { value, number, suffix } => {
                self.diagnostics
                    .error(extent, format!("numbers have no type: `{suffix}`"))
                    .help(format!("write `{number}`; the cell's scalar type is chosen where it is used"));
                return self.node(ExprKind::Number(value), extent);
            }
            Number::Joined { value, number, name } => {
                let number_node = self.node(ExprKind::Number(value), extent);
                let Ok(name) =
                    syn::parse_str::<Ident>(&name).or_else(|_| syn::parse_str(&format!("r#{name}")))
                else {
                    self.diagnostics.error(extent, format!("`{literal}` is not a number"));
                    return self.error(extent);
                };
                let name = Ident::new(&name.to_string().replace("r#", ""), literal.span());
                let right = self.named(c, name);
                let right_text = text::short(&right);
                self.diagnostics
                    .error(extent, format!("missing operator between `{number}` and `{right_text}`"))
                    .help(format!("write `{number} * {right_text}`"));
                return self.error_of(extent.to(right.extent), &[&number_node, &right]);
            }
            Number::TooLarge => (
                "the number is too large for a float".to_owned(),
                "the largest is about 1.8e308, or 3.4e38 where the scalar is `f32`",
            ),
            Number::TooSmall => {
                ("the number is too small for a float: it would be 0".to_owned(), "write `0`")
            }
            Number::NotDecimal => {
                (format!("`{literal}` is not a decimal number"), "write it with the digits 0 to 9")
            }
            Number::Other => (
                format!("expected a number, found `{literal}`"),
                "values are real numbers, vectors and matrices",
            ),
        };
        self.diagnostics.error(extent, fact).help(help);
        self.error(extent)
    }

    /// Parses an operand that begins with a name, which has been taken.
    pub fn named(&mut self, c: &mut Cursor, name: Ident) -> Expr {
        if let Some(group) = c.parenthesis(0).cloned() {
            // In `a = b` followed by `(c, d) = e`, the first equation ends without `;`.
            if !(c.holds_items && c.at_equals(1)) {
                return self.call(c, name, &group);
            }
        }
        if let Some(group) = c.bracket(0).cloned() {
            let index = Index::read(&group);
            let is_split = starts_item(c, 0) && !index.is_time();
            if !is_split && index != Index::Stack {
                return self.timed(c, name, &index);
            }
        }
        if let Some(group) = c.brace(0).cloned()
            && let Index::Time(offset) = Index::read(&group)
        {
            let extent = Extent::from(&name).to(c.skip(1));
            let name = subscripted(&name);
            self.diagnostics
                .error(extent, "a time index is written in brackets")
                .help(format!("write `{}`", text::timed(&name, &Time::Offset(offset))));
            return self.at_time(name, offset, extent);
        }
        let extent = Extent::from(&name);
        self.node(ExprKind::Name { name, time: Time::Implicit }, extent)
    }

    /// Returns the intended operand of a time index that has been reported, so that later
    /// messages can name it.
    pub fn at_time(&mut self, name: Ident, offset: i64, extent: Extent) -> Expr {
        let is_a_step = offset <= 0;
        let time = if is_a_step { Time::Offset(offset) } else { Time::Implicit };
        let named = self.node(ExprKind::Name { name, time }, extent);
        if is_a_step { named } else { self.error_of(extent, &[&named]) }
    }

    /// Parses a name with brackets behind it.
    fn timed(&mut self, c: &mut Cursor, name: Ident, index: &Index) -> Expr {
        let index_extent = c.here();
        let inside = c.bracket(0).map(Group::stream);
        let extent = Extent::from(&name).to(c.skip(1));
        let node = |time| ExprKind::Name { name: name.clone(), time };
        let (at, fact, help) = match index {
            Index::Time(offset @ ..=0) => return self.node(node(Time::Offset(*offset)), extent),
            Index::Delay { count, dimension } => {
                let time = Time::Delay { count: *count, dimension: dimension.clone() };
                return self.node(node(time), extent);
            }
            Index::WrongDelay(wrong) => {
                let (fact, help) = wrong.message(&name);
                (index_extent, fact, help)
            }
            Index::Time(offset) => {
                let (at, fact, help) = later_step(&name, *offset, index_extent);
                self.diagnostics.error(at, fact).help(help);
                let named = self.node(node(Time::Implicit), extent);
                return self.error_of(extent, &[&named]);
            }
            Index::OtherClock => {
                let index = inside.map(|tokens| tokens.to_string().replace(' ', "")).unwrap_or_default();
                self.diagnostics
                    .error(
                        index_extent,
                        format!("`{index}` is not a time index: the current step is called `t`"),
                    )
                    .help(format!("write `{name}[t-1]` for the value of the previous step"));
                return self.node(node(Time::Offset(-1)), extent);
            }
            Index::Negative => (
                index_extent,
                "there is no indexing from the end".to_owned(),
                format!("the value of the previous step is `{name}[t-1]`"),
            ),
            Index::BadTime => (
                index_extent,
                "invalid time index".to_owned(),
                format!(
                    "write `{name}[t]` for the current step, `{name}[t-1]` for the previous one, or `{name}[t-D]` with a \
                     dimension `D`"
                ),
            ),
            Index::Entry | Index::Stack => (
                index_extent,
                "there is no indexing".to_owned(),
                format!("equations work on whole values; split a vector with `[a, b] = {name};`"),
            ),
        };
        self.diagnostics.error(at, fact).help(help);
        if let Some(tokens) = inside {
            self.mention_tokens(tokens);
        }
        let named = self.node(node(Time::Implicit), extent);
        self.error_of(extent, &[&named])
    }

    fn call(&mut self, c: &mut Cursor, name: Ident, group: &Group) -> Expr {
        let extent = Extent::from(&name).to(c.skip(1));
        if let Some(expr) = self.foreign_call(&name, group, extent) {
            return expr;
        }
        if self.expr_role == ExprRole::Initial && name == "from_fn" {
            return self.path_argument(name, group, extent);
        }
        let arguments = self.arguments(group, name == "where");
        self.node(ExprKind::Call { function: name, arguments }, extent)
    }

    fn path_argument(&mut self, function: Ident, group: &Group, extent: Extent) -> Expr {
        let inside = Cursor::inside(group).here();
        let path = syn::parse2::<syn::Path>(group.stream()).ok();
        let argument = match path {
            Some(path) => self.node(ExprKind::RustPath(path), inside),
            None => {
                self.diagnostics
                    .error(Extent::new(group.span_open(), group.span_close()), "expected the path of a function")
                    .help("define `fn first(row: usize, column: usize) -> f64` beside the cell and write `from_fn(first)`");
                self.error(inside)
            }
        };
        self.node(ExprKind::Call { function, arguments: vec![argument] }, extent)
    }

    pub fn arguments(&mut self, group: &Group, is_where: bool) -> Vec<Expr> {
        self.list(&mut Cursor::inside(group), is_where)
    }

    /// Parses a list separated by commas: arguments, or the parts of a stack.
    pub fn list(&mut self, c: &mut Cursor, is_where: bool) -> Vec<Expr> {
        let mut list = vec![];
        while !c.at_end() {
            list.push(if is_where && list.is_empty() { self.condition(c) } else { self.expr(c) });
            if c.at(0, ",") {
                c.skip(1);
            } else if !c.at_end() {
                let fact = format!("expected `,`, found {}", c.found());
                self.diagnostics.error(c.here(), fact);
                self.pass(c);
            }
        }
        list
    }

    fn stack(&mut self, c: &mut Cursor, group: &Group) -> Expr {
        let extent = c.skip(1);
        let parts = self.arguments(group, false);
        if parts.is_empty() {
            self.diagnostics
                .error(extent, "an empty stack")
                .help("`[h, x]` puts `h` above `x`")
                .leaves_out(Missing::Read);
            return self.error(extent);
        }
        self.node(ExprKind::Stack(parts), extent)
    }

    fn parenthesised(&mut self, c: &mut Cursor, group: &Group) -> Expr {
        let extent = c.skip(1);
        let mut inside = Cursor::inside(group);
        if inside.at_end() {
            self.diagnostics
                .error(extent, "expected an expression between the parentheses")
                .leaves_out(Missing::Read);
            return self.error(extent);
        }
        let mut expr = self.expr(&mut inside);
        if inside.at(0, ",") {
            inside.skip(1);
            let mut parts = vec![expr];
            parts.extend(self.list(&mut inside, false));
            let shown = shown_list(&parts);
            self.diagnostics
                .error(extent, "there are no tuples")
                .help(format!("a stack is written in brackets: `[{shown}]`"));
            return self.node(ExprKind::Stack(parts), extent);
        }
        self.end_group(&mut inside);
        expr.extent = extent;
        expr.parenthesised = true;
        expr
    }
}

/// Returns the `h` of LaTeX's `h_{t-1}`.
fn subscripted(name: &Ident) -> Ident {
    let text = name.unraw().to_string();
    match text.trim_end_matches('_') {
        plain if plain.is_empty() || plain == text => name.clone(),
        plain => Ident::new(plain, name.span()),
    }
}

/// Returns the text of expressions as a list of arguments.
pub fn shown_list(parts: &[Expr]) -> String {
    let shown: Vec<String> = parts.iter().map(text::enclosed).collect();
    shown.join(", ")
}
