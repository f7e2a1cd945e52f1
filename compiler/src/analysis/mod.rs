//! The checks that turn a syntax tree into a correct cell: the meaning of names, the order of
//! evaluation, shapes, initialisers, and mixes of the two products.
//!
//! Every check reports the mistakes that it finds and continues, so that all mistakes are reported
//! at once.

pub mod heads;
pub mod initialisers;
pub mod past;
pub mod precedence;
pub mod reads;
pub mod resolve;
pub mod shapes;

use crate::diagnostics::Diagnostics;
use crate::syntax::ast::Cell;
use initialisers::Initialiser;
use past::Past;
use resolve::Resolved;
use shapes::Shapes;

/// The results of the checks. An entry is `None` if a mistake there has been reported.
#[derive(Debug)]
pub struct Analysis {
    pub resolved: Resolved,
    pub shapes: Shapes,
    /// The initialisers, by declaration.
    pub initialisers: Vec<Option<Initialiser>>,
    /// The earlier values that the cell reads.
    pub past: Past,
}

/// Checks a cell and reports every mistake in it.
pub fn analyse(cell: &Cell, diagnostics: &mut Diagnostics) -> Analysis {
    let resolved = resolve::resolve(cell, diagnostics);
    let shapes = shapes::infer(cell, &resolved, diagnostics);
    precedence::check(cell, &shapes, diagnostics);
    let initialisers = initialisers::initialisers(cell, &resolved, &shapes, diagnostics);
    let past = past::collect(cell, &resolved, &shapes);
    Analysis { resolved, shapes, initialisers, past }
}

/// Returns the analysis of a cell whose mistakes have been reported. Unknown shapes are guessed.
pub fn guess(cell: &Cell) -> Analysis {
    let mut reported = Diagnostics::default();
    let resolved = resolve::resolve(cell, &mut reported);
    let mut shapes = shapes::infer(cell, &resolved, &mut reported);
    shapes::guess(cell, &resolved, &mut shapes);
    let initialisers = initialisers::initialisers(cell, &resolved, &shapes, &mut reported);
    let past = past::collect(cell, &resolved, &shapes);
    Analysis { resolved, shapes, initialisers, past }
}
