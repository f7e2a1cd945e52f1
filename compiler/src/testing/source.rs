//! The compilation of a test's definition up to the plan.

use crate::analysis::past::{self, Past};
use crate::analysis::resolve;
use crate::analysis::resolve::Resolved;
use crate::analysis::shapes::{self, Shaped, Shapes};
use crate::diagnostics::Diagnostics;
use crate::lower::jacobian::{self, Jacobian};
use crate::lower::{Lowered, lower};
use crate::plan::{Plan, plan};
use crate::syntax::ast::Cell;
use crate::syntax::parse::parse;

/// A correct definition.
pub struct Definition {
    pub cell: Cell,
    pub resolved: Resolved,
    pub shapes: Shapes,
    pub past: Past,
}

/// Compiles all definitions of `rnn_cell! { source }`.
pub fn read_all(source: &str) -> Vec<Definition> {
    let mut diagnostics = Diagnostics::default();
    let tokens = source.parse().expect("the test's brackets are balanced");
    let program = parse(tokens, &mut diagnostics);
    let read = |cell| {
        let resolved = resolve::resolve(&cell, &mut diagnostics);
        let shapes = shapes::infer(&cell, &resolved, &mut diagnostics);
        let past = past::collect(&cell, &resolved, &shapes);
        Definition { cell, resolved, shapes, past }
    };
    let definitions = program.cells.into_iter().map(read).collect();
    assert_eq!(diagnostics.messages(), Vec::<String>::new(), "{source}");
    definitions
}

pub fn read(source: &str) -> Definition {
    read_all(source).pop().expect("the test's source is a cell")
}

/// Compiles the library's cells.
pub fn ready() -> Vec<Definition> {
    let files = [
        include_str!("../../../runtime/src/cells/attention.rs"),
        include_str!("../../../runtime/src/cells/decoder.rs"),
        include_str!("../../../runtime/src/cells/dense.rs"),
        include_str!("../../../runtime/src/cells/elman.rs"),
        include_str!("../../../runtime/src/cells/greff.rs"),
        include_str!("../../../runtime/src/cells/gru.rs"),
        include_str!("../../../runtime/src/cells/lstm.rs"),
        include_str!("../../../runtime/src/cells/quasi.rs"),
        include_str!("../../../runtime/src/cells/rwkv.rs"),
        include_str!("../../../runtime/src/cells/selective.rs"),
        include_str!("../../../runtime/src/cells/state_space.rs"),
    ];
    let of_file = |file: &&str| {
        let (_, rest) = file.split_once("rnn_cell! {").expect("the file defines cells");
        read_all(rest.trim_end().strip_suffix('}').expect("the macro ends the file"))
    };
    files.iter().flat_map(of_file).collect()
}

impl Definition {
    pub fn shaped(&self) -> Shaped<'_> {
        Shaped { cell: &self.cell, shapes: &self.shapes }
    }

    pub fn jacobian(&self) -> Jacobian {
        let lowered = self.lower();
        let jacobian = jacobian::derive(&self.cell, &self.resolved, &lowered.graph, &lowered.targets);
        jacobian.expect("every state has a value")
    }

    pub fn lower(&self) -> Lowered {
        lower(&self.cell, &self.resolved, &self.shapes, &self.past, &mut Diagnostics::default())
            .expect("a correct definition can be lowered")
    }

    pub fn plan(&self) -> Plan {
        let plan = plan(&self.cell, &self.resolved, &self.shapes, &self.past, self.lower());
        plan.expect("a correct definition can be planned, and the invariants hold")
    }
}
