//! The compiler: from the tokens of an `rnn_cell! { .. }` to those that it expands to.

use crate::diagnostics::Diagnostics;
use crate::emit::context::Context;
use crate::emit::items::Items;
use crate::emit::skeleton::tidy;
use crate::syntax::ast::Cell;
use crate::syntax::parse::parse;
use crate::{initial, lower, mixes, plan, resolve, shape, verify};
use proc_macro2::{Ident, TokenStream};
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

/// Expands a definition. `root` is the path of the runtime crate, by whatever name the user's crate has it.
pub fn expand(root: &TokenStream, input: TokenStream) -> Expansion {
    let mut diagnostics = Diagnostics::default();
    let program = parse(input, &mut diagnostics);
    resolve::check_cells(&program.cells, &mut diagnostics);
    let mut cells = vec![];
    let mut names = HashSet::new();
    for cell in program.cells {
        let name = cell.name.clone();
        let is_conditional = cell.attributes.iter().any(|attribute| attribute.path().is_ident("cfg"));
        let is_first = names.insert(name.to_string());
        let items = compile(root, cell, &mut diagnostics);
        // Of two cells of one name, which is a mistake, rustc need not complain as well.
        if is_first || is_conditional {
            cells.push((name, items));
        }
    }
    Expansion { errors: diagnostics.to_tokens(), cells }
}

/// One cell: every stage in its order. Names and shapes are checked whatever the parser found, so that all
/// mistakes are reported at once; the rest is for definitions without any.
fn compile(root: &TokenStream, cell: Cell, diagnostics: &mut Diagnostics) -> TokenStream {
    let resolved = resolve::resolve(&cell, diagnostics);
    let shapes = shape::infer(&cell, &resolved, diagnostics);
    mixes::check(&cell, &shapes, diagnostics);
    let initialisers = initial::initialisers(&cell, &resolved, &shapes, diagnostics);
    if !diagnostics.is_empty() {
        return skeleton(root, cell);
    }

    let plan = lower::lower(&cell, &resolved, &shapes, diagnostics)
        .and_then(|lowered| plan::plan(&cell, &resolved, &shapes, lowered));
    let Some(plan) = plan else {
        if diagnostics.is_empty() {
            diagnostics
                .error(&cell.name, "this definition is beyond the compiler, which is a bug of rnn-cell")
                .help("please report it with the definition");
        }
        return skeleton(root, cell);
    };
    if cfg!(debug_assertions)
        && let Err(broken) = verify::verify(&plan)
    {
        diagnostics.error(
            &cell.name,
            format!("the compiler broke its own invariant, which is a bug of rnn-cell: {broken}"),
        );
    }
    let context = Context::new(&cell, &shapes, root);
    Items::new(&context, &resolved, &initialisers, Some(&plan)).emit()
}

/// The types and signatures of a cell with mistakes, which have been reported.
fn skeleton(root: &TokenStream, mut cell: Cell) -> TokenStream {
    tidy(&mut cell);
    let mut reported = Diagnostics::default();
    let resolved = resolve::resolve(&cell, &mut reported);
    let mut shapes = shape::infer(&cell, &resolved, &mut reported);
    shape::guess(&cell, &resolved, &mut shapes);
    let initialisers = initial::initialisers(&cell, &resolved, &shapes, &mut reported);
    let context = Context::new(&cell, &shapes, root);
    Items::new(&context, &resolved, &initialisers, None).emit()
}
