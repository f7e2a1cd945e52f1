//! A position in a list of token trees, with the look-ahead that error recovery needs.
//!
//! Unlike a parse stream of syn, it never fails: the caller reports the mistake, and the cursor
//! continues behind it. Each punctuation token is a single character. [`Cursor::at`] joins `+=` and
//! `**` where these are expected, so that `=-1` and `@-x` need no special case.

use crate::diagnostics::Extent;
use proc_macro2::{Delimiter, Group, Ident, Literal, Spacing, Span, TokenStream, TokenTree};

#[derive(Debug, Clone)]
pub struct Cursor {
    tokens: Vec<TokenTree>,
    position: usize,
    /// The span before the tokens, and the span of their end: for a group, its delimiters.
    before: Span,
    end: Span,
    /// True if the tokens are the items of a cell, so that the next item may follow a finished
    /// expression.
    pub holds_items: bool,
}

impl Cursor {
    pub fn new(tokens: TokenStream) -> Self {
        let tokens = flatten(tokens);
        let span = tokens.last().map_or_else(Span::call_site, |last| extent(last).last);
        Self { tokens, position: 0, before: span, end: span, holds_items: false }
    }

    /// Returns a cursor over the tokens of a group.
    pub fn inside(group: &Group) -> Self {
        Self {
            tokens: flatten(group.stream()),
            position: 0,
            before: group.span_open(),
            end: group.span_close(),
            holds_items: false,
        }
    }

    pub fn peek(&self, ahead: usize) -> Option<&TokenTree> {
        self.tokens.get(self.position.checked_add(ahead)?)
    }

    pub fn at_end(&self) -> bool {
        self.position >= self.tokens.len()
    }

    pub fn len(&self) -> usize {
        self.tokens.len().saturating_sub(self.position)
    }

    /// Returns the remaining tokens.
    pub fn rest(&self) -> TokenStream {
        self.tokens.iter().skip(self.position).cloned().collect()
    }

    pub fn bump(&mut self) -> Option<TokenTree> {
        let token = self.tokens.get(self.position).cloned();
        self.position = self.tokens.len().min(self.position + 1);
        token
    }

    /// Skips `count` tokens and returns their extent.
    pub fn skip(&mut self, count: usize) -> Extent {
        let first = self.here().first;
        for _ in 0..count {
            self.bump();
        }
        Extent::new(first, self.previous().last)
    }

    pub fn ident(&self, ahead: usize) -> Option<&Ident> {
        match self.peek(ahead) {
            Some(TokenTree::Ident(ident)) => Some(ident),
            _ => None,
        }
    }

    pub fn literal(&self, ahead: usize) -> Option<&Literal> {
        match self.peek(ahead) {
            Some(TokenTree::Literal(literal)) => Some(literal),
            _ => None,
        }
    }

    pub fn any_group(&self, ahead: usize) -> Option<&Group> {
        match self.peek(ahead) {
            Some(TokenTree::Group(group)) => Some(group),
            _ => None,
        }
    }

    pub fn group(&self, ahead: usize, delimiter: Delimiter) -> Option<&Group> {
        self.any_group(ahead).filter(|group| group.delimiter() == delimiter)
    }

    pub fn parenthesis(&self, ahead: usize) -> Option<&Group> {
        self.group(ahead, Delimiter::Parenthesis)
    }

    pub fn bracket(&self, ahead: usize) -> Option<&Group> {
        self.group(ahead, Delimiter::Bracket)
    }

    pub fn brace(&self, ahead: usize) -> Option<&Group> {
        self.group(ahead, Delimiter::Brace)
    }

    pub fn punct(&self, ahead: usize) -> Option<char> {
        match self.peek(ahead) {
            Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
            _ => None,
        }
    }

    pub fn word(&self, ahead: usize, word: &str) -> bool {
        self.ident(ahead).is_some_and(|ident| ident == word)
    }

    /// Returns whether the operator starts at this token, written without spaces.
    pub fn at(&self, ahead: usize, operator: &str) -> bool {
        let length = operator.chars().count();
        operator.chars().enumerate().all(|(index, character)| match self.peek(ahead + index) {
            Some(TokenTree::Punct(punct)) => {
                punct.as_char() == character && (index + 1 == length || punct.spacing() == Spacing::Joint)
            }
            _ => false,
        })
    }

    /// Returns whether the token is a single `=`, neither `==` nor `=>`.
    pub fn at_equals(&self, ahead: usize) -> bool {
        self.at(ahead, "=") && !self.at(ahead, "==") && !self.at(ahead, "=>")
    }

    /// Returns the extent of the next token, or of the end of the list.
    pub fn here(&self) -> Extent {
        self.peek(0).map_or_else(|| self.end.into(), extent)
    }

    /// Returns the extent of the last token that was taken, or of the start of the list.
    pub fn previous(&self) -> Extent {
        let last = self.position.checked_sub(1).and_then(|last| self.tokens.get(last));
        last.map_or_else(|| self.before.into(), extent)
    }

    /// Returns the last token that was taken, if it is punctuation.
    pub fn last_punct(&self) -> Option<char> {
        match self.position.checked_sub(1).and_then(|last| self.tokens.get(last)) {
            Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
            _ => None,
        }
    }

    /// Returns the point just behind the last token that was taken.
    pub fn behind(&self) -> Extent {
        let span = self.previous().last;
        if proc_macro::is_available() { Span::from(span.unwrap().end()).into() } else { span.into() }
    }

    /// Returns whether the token is the first of its line.
    pub fn starts_line(&self, ahead: usize) -> bool {
        let before = match (self.position + ahead).checked_sub(1).and_then(|last| self.tokens.get(last)) {
            Some(token) => extent(token).last,
            None => self.before,
        };
        self.peek(ahead).is_none_or(|token| last_line(before) != first_line(extent(token).first))
    }

    /// Returns the text of the next token for a message.
    pub fn found(&self) -> String {
        match self.peek(0) {
            None => "the end".to_owned(),
            Some(TokenTree::Group(group)) => format!("`{}`", opening(group.delimiter())),
            Some(token) => format!("`{token}`"),
        }
    }
}

fn first_line(span: Span) -> usize {
    if proc_macro::is_available() { span.unwrap().start().line() } else { outside::lines(span).0 }
}

fn last_line(span: Span) -> usize {
    if proc_macro::is_available() { span.unwrap().end().line() } else { outside::lines(span).1 }
}

/// Line numbers outside a compiler, for unit tests and reports.
mod outside {
    use proc_macro2::Span;

    #[cfg(any(test, feature = "report"))]
    pub fn lines(span: Span) -> (usize, usize) {
        (span.start().line, span.end().line)
    }

    #[cfg(not(any(test, feature = "report")))]
    pub fn lines(_: Span) -> (usize, usize) {
        (0, 0)
    }
}

pub fn opening(delimiter: Delimiter) -> &'static str {
    match delimiter {
        Delimiter::Parenthesis | Delimiter::None => "(",
        Delimiter::Brace => "{",
        Delimiter::Bracket => "[",
    }
}

pub fn extent(token: &TokenTree) -> Extent {
    match token {
        TokenTree::Group(group) => Extent::new(group.span_open(), group.span_close()),
        other => other.span().into(),
    }
}

/// Returns the token trees without the invisible groups around fragments of `macro_rules!`. A group
/// of several tokens is kept, since it holds an expression together.
fn flatten(stream: TokenStream) -> Vec<TokenTree> {
    let mut flat = vec![];
    let mut open = vec![stream.into_iter()];
    while let Some(innermost) = open.last_mut() {
        match innermost.next() {
            None => {
                open.pop();
            }
            Some(TokenTree::Group(group)) if is_transparent(&group) => open.push(group.stream().into_iter()),
            Some(token) => flat.push(token),
        }
    }
    flat
}

fn is_transparent(group: &Group) -> bool {
    if group.delimiter() != Delimiter::None {
        return false;
    }
    let mut tokens = group.stream().into_iter();
    match tokens.next() {
        Some(TokenTree::Ident(ident)) if ident == "pub" => true,
        _ => tokens.next().is_none(),
    }
}
