//! The compiler: from the tokens of an `rnn_cell! { .. }` to those that it expands to.

use crate::diagnostics::Diagnostics;
use crate::emit::context::Context;
use crate::emit::items::Items;
use crate::syntax::ast::Cell;
use crate::syntax::parse::parse;
use crate::{initial, lower, mixes, plan, resolve, shape, verify};
use proc_macro2::TokenStream;

/// Expands a definition. `root` is the path of the runtime crate, by whatever name the user's crate has it.
pub fn expand(root: &TokenStream, input: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let program = parse(input, &mut diagnostics);
    resolve::check_cells(&program.cells, &mut diagnostics);
    let mut items = TokenStream::new();
    for cell in &program.cells {
        items.extend(compile(root, cell, &mut diagnostics));
    }
    let errors = diagnostics.to_tokens();
    quote::quote!(#errors #items)
}

/// One cell: every stage in its order. Names and shapes are checked whatever the parser found, so that all
/// mistakes are reported at once; the rest is for definitions without any.
fn compile(root: &TokenStream, cell: &Cell, diagnostics: &mut Diagnostics) -> TokenStream {
    let resolved = resolve::resolve(cell, diagnostics);
    let shapes = shape::infer(cell, &resolved, diagnostics);
    mixes::check(cell, &shapes, diagnostics);
    let initialisers = initial::initialisers(cell, &resolved, &shapes, diagnostics);

    let plan = match diagnostics.is_empty() {
        false => None,
        true => lower::lower(cell, &resolved, &shapes).and_then(|lowered| plan::plan(cell, &resolved, &shapes, lowered)),
    };
    if plan.is_none() && diagnostics.is_empty() {
        diagnostics.error(&cell.name, "this definition is beyond the compiler, which is a bug of rnn-cell").help(
            "please report it with the definition",
        );
    }
    if cfg!(debug_assertions)
        && let Some(plan) = &plan
        && let Err(broken) = verify::verify(plan)
    {
        diagnostics.error(&cell.name, format!("the compiler broke its own invariant, which is a bug of rnn-cell: {broken}"));
    }
    let context = Context::new(cell, &shapes, root);
    Items::new(&context, &resolved, &initialisers, plan.as_ref()).emit()
}
