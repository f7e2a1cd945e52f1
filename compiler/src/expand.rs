//! The driver of the compiler: from the tokens of `rnn_cell! { .. }` to its expansion.

use crate::analysis::{self, Analysis};
use crate::diagnostics::Diagnostics;
use crate::emit::context::{EmitContext, Runtime};
use crate::emit::items::Items;
use crate::emit::skeleton::tidy;
use crate::emit::spans::SpannedNames;
use crate::lower::jacobian::{self, Jacobian};
use crate::lower::{self, Lowered};
use crate::plan::{self, Plan};
use crate::syntax::ast::Cell;
use crate::syntax::parse::parse;
use crate::text::jacobian::absence;
use crate::{docs, editor, emit};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::HashSet;

/// The expansion of a definition: its mistakes, and the items of each cell.
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
    let has_source_per_cell = sources.len() == program.cells.len();
    for (index, cell) in program.cells.into_iter().enumerate() {
        let name = cell.name.clone();
        let is_conditional = cell.attributes.iter().any(|attribute| attribute.path().is_ident("cfg"));
        let is_first = names.insert(name.to_string());
        let source = sources.get(index).filter(|_| has_source_per_cell);
        diagnostics.enter(index);
        let items = items(runtime, cell, source, &mut diagnostics);
        // A second cell of the same name has been reported. Its items would only add rustc's
        // errors.
        if is_first || is_conditional {
            cells.push((name, items));
        }
    }
    Expansion { errors: diagnostics.to_tokens(), cells }
}

/// Returns the page that rustdoc shows for a cell. The page is empty for a definition with
/// mistakes, which its expansion reports.
pub fn page(input: TokenStream) -> String {
    let mut diagnostics = Diagnostics::default();
    let program = parse(input, &mut diagnostics);
    let Some(cell) = program.cells.into_iter().next() else { return String::new() };
    match compile(&cell, &mut diagnostics) {
        Some(Compiled { analysis, plan, .. }) => docs::page(&cell, &analysis, &plan),
        None => String::new(),
    }
}

/// Splits the tokens after each pair of braces. In a definition without mistakes, each part is one
/// cell.
///
/// Only [`page`] reads these tokens. Their spans are the call site, so that editors look up only
/// the user's own tokens.
fn sources(input: TokenStream) -> Vec<TokenStream> {
    fn at_call_site(tokens: TokenStream) -> TokenStream {
        let respan = |mut token: TokenTree| {
            if let TokenTree::Group(group) = &token {
                token = Group::new(group.delimiter(), at_call_site(group.stream())).into();
            }
            token.set_span(Span::call_site());
            token
        };
        tokens.into_iter().map(respan).collect()
    }
    let mut sources = vec![];
    let mut tokens = vec![];
    for token in at_call_site(input) {
        let is_end = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        tokens.push(token);
        if is_end {
            sources.push(tokens.drain(..).collect());
        }
    }
    sources
}

/// A cell without mistakes after all stages before emission.
pub struct Compiled {
    pub analysis: Analysis,
    pub plan: Plan,
    /// The Jacobians of the state update. They are only documentation, so the cell is valid if they
    /// cannot be derived.
    pub jacobian: Option<Jacobian>,
}

/// Takes one cell through the stages before emission. Returns `None` if it, or a cell before it,
/// has mistakes, which are reported.
///
/// Names and shapes are checked even after syntax errors, so that all mistakes are reported at
/// once. The later stages run only for definitions without mistakes.
pub fn compile(cell: &Cell, diagnostics: &mut Diagnostics) -> Option<Compiled> {
    let analysis = analysis::analyse(cell, diagnostics);
    if !diagnostics.is_empty() {
        return None;
    }
    let Analysis { resolved, shapes, past, .. } = &analysis;
    let lowered = lower::lower(cell, resolved, shapes, past, diagnostics);
    let jacobian = lowered.as_ref().and_then(|lowered| derive_jacobian(cell, &analysis, lowered));
    let planned = match lowered {
        Some(lowered) => plan::plan(cell, resolved, shapes, past, lowered),
        None => Err("it can't be lowered".to_owned()),
    };
    let plan = match planned {
        Ok(plan) => plan,
        Err(broken) => {
            // `lower` has reported an expression that grows too large.
            if diagnostics.is_empty() {
                let fact = "the compiler can't handle this definition, which is a bug in rnn-cell";
                diagnostics
                    .error(&cell.name, format!("{fact}: {broken}"))
                    .help("please report it with the definition");
            }
            return None;
        }
    };
    Some(Compiled { analysis, plan, jacobian })
}

/// Returns the Jacobian, or `None` for a cell whose Jacobian has no text.
fn derive_jacobian(cell: &Cell, analysis: &Analysis, lowered: &Lowered) -> Option<Jacobian> {
    if absence(cell, &analysis.past).is_some() {
        return None;
    }
    jacobian::derive(cell, &analysis.resolved, &lowered.graph, &lowered.targets)
}

fn items(
    runtime: &Runtime,
    mut cell: Cell,
    source: Option<&TokenStream>,
    diagnostics: &mut Diagnostics,
) -> TokenStream {
    let Some(Compiled { analysis, plan, jacobian }) = compile(&cell, diagnostics) else {
        return skeleton(runtime, cell);
    };
    let Analysis { resolved, shapes, initialisers, past } = &analysis;
    let spanned = SpannedNames::take(&mut cell);
    let cx = EmitContext::new(&cell, shapes, past, runtime);
    let items = Items::new(&cx, &spanned, resolved, initialisers, Some(&plan), jacobian.as_ref(), source);
    emit::emit(&items, editor::mentions(&items))
}

/// Returns the types and signatures of a cell whose mistakes have been reported.
fn skeleton(runtime: &Runtime, mut cell: Cell) -> TokenStream {
    tidy(&mut cell);
    let Analysis { resolved, shapes, initialisers, past } = analysis::guess(&cell);
    let spanned = SpannedNames::take(&mut cell);
    let cx = EmitContext::new(&cell, &shapes, &past, runtime);
    let items = Items::new(&cx, &spanned, &resolved, &initialisers, None, None, None);
    emit::emit(&items, editor::mentions(&items))
}
