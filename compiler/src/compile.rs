//! The compiler: from the tokens of an `rnn_cell! { .. }` to those that it expands to.

use crate::diagnostics::Diagnostics;
use crate::emit::context::{Context, Runtime};
use crate::emit::docs;
use crate::emit::items::Items;
use crate::emit::places::Places;
use crate::emit::skeleton::tidy;
use crate::initial::Initialiser;
use crate::plan::Plan;
use crate::resolve::Resolved;
use crate::shape::Shapes;
use crate::syntax::ast::Cell;
use crate::syntax::parse::parse;
use crate::{initial, lower, mixes, plan, resolve, shape, verify};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::HashSet;

/// What a definition expands to: the mistakes in it, and the items of each cell.
#[derive(Debug)]
pub struct Expansion {
    pub errors: TokenStream,
    pub cells: Vec<(Ident, TokenStream)>,
}

impl ToTokens for Expansion {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.errors.to_tokens(tokens);
        tokens.extend(self.cells.iter().map(|(_, items)| items.clone()));
    }
}

/// Expands a definition.
pub fn expand(runtime: &Runtime, input: TokenStream) -> Expansion {
    let mut diagnostics = Diagnostics::default();
    let sources = sources(input.clone());
    let program = parse(input, &mut diagnostics);
    resolve::check_cells(&program.cells, &mut diagnostics);
    let mut cells = vec![];
    let mut names = HashSet::new();
    let is_whole = sources.len() == program.cells.len();
    for (index, cell) in program.cells.into_iter().enumerate() {
        let name = cell.name.clone();
        let is_conditional = cell.attributes.iter().any(|attribute| attribute.path().is_ident("cfg"));
        let is_first = names.insert(name.to_string());
        let source = sources.get(index).filter(|_| is_whole);
        diagnostics.enter(index);
        let items = compile(runtime, cell, source, &mut diagnostics);
        // Of two cells of one name, which is a mistake, rustc need not complain as well.
        if is_first || is_conditional {
            cells.push((name, items));
        }
    }
    Expansion { errors: diagnostics.to_tokens(), cells }
}

/// What rustdoc shows of a cell; nothing for a definition with mistakes, which its expansion reports.
pub fn page(runtime: &Runtime, input: TokenStream) -> String {
    let mut diagnostics = Diagnostics::default();
    let program = parse(input, &mut diagnostics);
    let Some(cell) = program.cells.into_iter().next() else { return String::new() };
    let Some(analysis) = analyse(&cell, &mut diagnostics) else { return String::new() };
    docs::page(&Context::new(&cell, &analysis.shapes, runtime), &analysis)
}

/// The tokens of each cell of a definition without mistakes: up to a pair of braces. They stand at the call, since they are only
/// read by [`page`]: to an editor, the user's own are the ones that mean something.
fn sources(input: TokenStream) -> Vec<TokenStream> {
    fn placeless(tokens: TokenStream) -> TokenStream {
        let placeless = |mut token: TokenTree| {
            if let TokenTree::Group(group) = &token {
                token = Group::new(group.delimiter(), placeless(group.stream())).into();
            }
            token.set_span(Span::call_site());
            token
        };
        tokens.into_iter().map(placeless).collect()
    }
    let mut sources = vec![];
    let mut tokens = vec![];
    for token in placeless(input) {
        let is_end = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        tokens.push(token);
        if is_end {
            sources.push(tokens.drain(..).collect());
        }
    }
    sources
}

/// What the stages before emission found of a cell without mistakes.
pub struct Analysis {
    pub resolved: Resolved,
    pub shapes: Shapes,
    pub initialisers: Vec<Option<Initialiser>>,
    pub plan: Plan,
}

/// One cell: every stage in its order. Names and shapes are checked whatever the parser found, so that all
/// mistakes are reported at once; the rest is for definitions without any.
fn analyse(cell: &Cell, diagnostics: &mut Diagnostics) -> Option<Analysis> {
    let resolved = resolve::resolve(cell, diagnostics);
    let shapes = shape::infer(cell, &resolved, diagnostics);
    mixes::check(cell, &shapes, diagnostics);
    let initialisers = initial::initialisers(cell, &resolved, &shapes, diagnostics);
    if !diagnostics.is_empty() {
        return None;
    }

    let plan = lower::lower(cell, &resolved, &shapes, diagnostics)
        .and_then(|lowered| plan::plan(cell, &resolved, &shapes, lowered));
    let Some(plan) = plan else {
        if diagnostics.is_empty() {
            diagnostics
                .error(&cell.name, "this definition is beyond the compiler, which is a bug of rnn-cell")
                .help("please report it with the definition");
        }
        return None;
    };
    if cfg!(debug_assertions)
        && let Err(broken) = verify::verify(&plan)
    {
        diagnostics.error(
            &cell.name,
            format!("the compiler broke its own invariant, which is a bug of rnn-cell: {broken}"),
        );
    }
    Some(Analysis { resolved, shapes, initialisers, plan })
}

fn compile(
    runtime: &Runtime,
    mut cell: Cell,
    source: Option<&TokenStream>,
    diagnostics: &mut Diagnostics,
) -> TokenStream {
    let Some(analysis) = analyse(&cell, diagnostics) else { return skeleton(runtime, cell) };
    let Analysis { resolved, shapes, initialisers, plan } = &analysis;
    let places = Places::take(&mut cell);
    let context = Context::new(&cell, shapes, runtime);
    Items::new(&context, &places, resolved, initialisers, Some(plan), source).emit()
}

/// The types and signatures of a cell with mistakes, which have been reported.
fn skeleton(runtime: &Runtime, mut cell: Cell) -> TokenStream {
    tidy(&mut cell);
    let mut reported = Diagnostics::default();
    let resolved = resolve::resolve(&cell, &mut reported);
    let mut shapes = shape::infer(&cell, &resolved, &mut reported);
    shape::guess(&cell, &resolved, &mut shapes);
    let initialisers = initial::initialisers(&cell, &resolved, &shapes, &mut reported);
    let places = Places::take(&mut cell);
    let context = Context::new(&cell, &shapes, runtime);
    Items::new(&context, &places, &resolved, &initialisers, None, None).emit()
}
