//! A report on a definition, for programs that show one outside a compiler, such as an editor in a
//! browser: the mistakes with their places in the text, and the contents of the documentation of
//! each cell.

mod lexical;
mod mistake;

use crate::analysis;
use crate::analysis::shapes::Shaped;
use crate::diagnostics::Diagnostics;
use crate::docs::derived::derived;
use crate::docs::{self, Parts};
use crate::dump;
use crate::emit::context::Runtime;
use crate::expand::{Compiled, compile, expand};
use crate::syntax::parse::parse;
use crate::text::jacobian;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

pub use mistake::Mistake;

/// A report on a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The mistakes, in the order of the text.
    pub mistakes: Vec<Mistake>,
    /// The cells, in the order of the text. There are none if there are mistakes.
    pub cells: Vec<Cell>,
}

/// A correct cell: parts of its documentation, as HTML unless stated otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The name with the dimensions, as plain text: `Lstm<I, H>`.
    pub name: String,
    /// The first paragraph of the doc comment.
    pub summary: String,
    /// The equations as mathematics.
    pub mathematics: String,
    /// The drawing of the data flow.
    pub flow: String,
    /// The table of the declarations.
    pub declarations: String,
    /// The equations in order of evaluation, as plain text.
    pub equations: String,
    /// The backward equations as mathematics.
    pub backward: String,
    /// The Jacobian of the state update as mathematics, or the reason why there is none.
    pub jacobian: String,
    /// The backward equations, as plain text.
    pub backward_text: String,
    /// The Jacobian of the state update, as plain text.
    pub jacobian_text: String,
    /// The table of sizes and costs.
    pub sizes: String,
    /// A program that uses the cell, as plain text.
    pub example: String,
}

/// The conventions of the notation of [`Cell::mathematics`], as HTML.
pub const CONVENTIONS: &str = docs::CONVENTIONS;

/// Returns the report on a text: the contents of `rnn_cell! { .. }`, or the whole call.
pub fn report(text: &str) -> Report {
    with_tokens(text, |tokens| match tokens {
        Ok(tokens) => of_tokens(tokens),
        Err(mistake) => Report { mistakes: vec![mistake], cells: vec![] },
    })
}

/// Returns the formatted expansion of a text as a source file that compiles where `::rnn_cell` is
/// the library. Returns `None` if the text has mistakes.
pub fn rust(text: &str) -> Option<String> {
    with_tokens(text, |tokens| {
        let expansion = expand(&Runtime::new(quote!(::rnn_cell)), tokens.ok()?);
        if !expansion.errors.is_empty() {
            return None;
        }
        let sources: Option<Vec<String>> =
            expansion.cells.iter().map(|(_, items)| dump::source(items).ok()).collect();
        Some(sources?.join("\n"))
    })
}

/// Calls `f` with the tokens of a definition. Their spans are invalid afterwards, so that they do
/// not accumulate.
fn with_tokens<R>(text: &str, f: impl FnOnce(Result<TokenStream, Mistake>) -> R) -> R {
    let tokens = text.parse::<TokenStream>().map(definition);
    let result = f(tokens.map_err(|error| lexical::mistake(text, error.span().byte_range().start)));
    proc_macro2::extra::invalidate_current_thread_spans();
    result
}

/// Returns the definition within `rnn_cell! { definition }`, or the tokens themselves.
fn definition(tokens: TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(group)]
            if name == "rnn_cell" && bang.as_char() == '!' && group.delimiter() == Delimiter::Brace =>
        {
            group.stream()
        }
        _ => tokens,
    }
}

fn of_tokens(tokens: TokenStream) -> Report {
    let mut diagnostics = Diagnostics::default();
    let program = parse(tokens, &mut diagnostics);
    analysis::resolve::check_cells(&program.cells, &mut diagnostics);
    let mut cells = vec![];
    for (index, cell) in program.cells.iter().enumerate() {
        diagnostics.enter(index);
        let Some(Compiled { analysis, plan, jacobian }) = compile(cell, &mut diagnostics) else { continue };
        let Parts { mathematics, equations, backward, declarations, flow, example, sizes, .. } =
            docs::parts(cell, &analysis, &plan);
        let definition = Shaped { cell, shapes: &analysis.shapes };
        let jacobian = jacobian::text(definition, &analysis.past, jacobian.as_ref());
        let dimensions = definition.dim_names().join(", ");
        cells.push(Cell {
            name: if dimensions.is_empty() {
                cell.name.to_string()
            } else {
                format!("{}<{dimensions}>", cell.name)
            },
            summary: docs::summary(cell),
            mathematics,
            flow,
            declarations,
            equations,
            backward: derived(&backward),
            jacobian: derived(&jacobian),
            backward_text: backward,
            jacobian_text: jacobian,
            sizes,
            example,
        });
    }
    let mut mistakes: Vec<Mistake> = diagnostics.reported().map(Mistake::from).collect();
    mistakes.sort_by_key(|mistake| mistake.place.start);
    if !mistakes.is_empty() {
        cells.clear();
    }
    Report { mistakes, cells }
}
