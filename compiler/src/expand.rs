//! The compiler: from the tokens of an `rnn_cell! { .. }` to those that it expands to.

use crate::analysis::{self, Analysis};
use crate::diagnostics::Diagnostics;
use crate::emit::context::{Context, Runtime};
use crate::emit::items::Items;
use crate::emit::places::Places;
use crate::emit::skeleton::tidy;
use crate::lower::jacobian::{self, Jacobian};
use crate::lower::{self, Lowered};
use crate::plan::{self, Plan};
use crate::syntax::ast::Cell;
use crate::syntax::parse::parse;
use crate::{docs, editor, emit};
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
    analysis::resolve::check_cells(&program.cells, &mut diagnostics);
    let mut cells = vec![];
    let mut names = HashSet::new();
    let is_whole = sources.len() == program.cells.len();
    for (index, cell) in program.cells.into_iter().enumerate() {
        let name = cell.name.clone();
        let is_conditional = cell.attributes.iter().any(|attribute| attribute.path().is_ident("cfg"));
        let is_first = names.insert(name.to_string());
        let source = sources.get(index).filter(|_| is_whole);
        diagnostics.enter(index);
        let items = items(runtime, cell, source, &mut diagnostics);
        // Of two cells of one name, which is a mistake, rustc need not complain as well.
        if is_first || is_conditional {
            cells.push((name, items));
        }
    }
    Expansion { errors: diagnostics.to_tokens(), cells }
}

/// What rustdoc shows of a cell; nothing for a definition with mistakes, which its expansion reports.
pub fn page(input: TokenStream) -> String {
    let mut diagnostics = Diagnostics::default();
    let program = parse(input, &mut diagnostics);
    let Some(cell) = program.cells.into_iter().next() else { return String::new() };
    match compile(&cell, &mut diagnostics) {
        Some(Compiled { analysis, plan, .. }) => docs::page(&cell, &analysis, &plan),
        None => String::new(),
    }
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

/// A cell without mistakes after all stages before emission.
struct Compiled {
    analysis: Analysis,
    plan: Plan,
    /// None if it could not be derived: it is documentation, so the cell is all right without it.
    jacobian: Option<Jacobian>,
}

/// Takes one cell through the stages before emission. None if there are mistakes in it, which are reported.
///
/// Names and shapes are checked whatever the parser found, so that all mistakes are reported at once; the rest is for
/// definitions without any.
fn compile(cell: &Cell, diagnostics: &mut Diagnostics) -> Option<Compiled> {
    let analysis = analysis::analyse(cell, diagnostics);
    if !diagnostics.is_empty() {
        return None;
    }
    let Analysis { resolved, shapes, .. } = &analysis;
    let lowered = lower::lower(cell, resolved, shapes, diagnostics);
    let jacobian = lowered.as_ref().and_then(|lowered| derive_jacobian(cell, &analysis, lowered));
    let planned = match lowered {
        Some(lowered) => plan::plan(cell, resolved, shapes, lowered),
        None => Err("it can't be lowered".to_owned()),
    };
    let plan = match planned {
        Ok(plan) => plan,
        Err(broken) => {
            // What grows beyond all bounds has been reported.
            if diagnostics.is_empty() {
                let fact = "this definition is beyond the compiler, which is a bug of rnn-cell";
                diagnostics
                    .error(&cell.name, format!("{fact}: {broken}"))
                    .help("please report it with the definition");
            }
            return None;
        }
    };
    Some(Compiled { analysis, plan, jacobian })
}

fn derive_jacobian(cell: &Cell, analysis: &Analysis, lowered: &Lowered) -> Option<Jacobian> {
    jacobian::derive(cell, &analysis.resolved, &lowered.graph, &lowered.targets)
}

/// Returns the items of one cell.
fn items(
    runtime: &Runtime,
    mut cell: Cell,
    source: Option<&TokenStream>,
    diagnostics: &mut Diagnostics,
) -> TokenStream {
    let Some(Compiled { analysis, plan, jacobian }) = compile(&cell, diagnostics) else {
        return skeleton(runtime, cell);
    };
    let Analysis { resolved, shapes, initialisers } = &analysis;
    let places = Places::take(&mut cell);
    let context = Context::new(&cell, shapes, runtime);
    let items = Items::new(&context, &places, resolved, initialisers, Some(&plan), jacobian.as_ref(), source);
    emit::emit(&items, editor::mentions(&items))
}

/// Returns the types and signatures of a cell with mistakes, which have been reported.
fn skeleton(runtime: &Runtime, mut cell: Cell) -> TokenStream {
    tidy(&mut cell);
    let Analysis { resolved, shapes, initialisers } = analysis::guess(&cell);
    let places = Places::take(&mut cell);
    let context = Context::new(&cell, &shapes, runtime);
    let items = Items::new(&context, &places, &resolved, &initialisers, None, None, None);
    emit::emit(&items, editor::mentions(&items))
}
