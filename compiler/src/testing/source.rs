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
        include_str!("../../../runtime/src/cells/continuous_time.rs"),
        include_str!("../../../runtime/src/cells/decoder.rs"),
        include_str!("../../../runtime/src/cells/gated/greff.rs"),
        include_str!("../../../runtime/src/cells/gated/gru.rs"),
        include_str!("../../../runtime/src/cells/gated/lstm.rs"),
        include_str!("../../../runtime/src/cells/gated/quasi.rs"),
        include_str!("../../../runtime/src/cells/layers/dense.rs"),
        include_str!("../../../runtime/src/cells/linear_attention/delta.rs"),
        include_str!("../../../runtime/src/cells/linear_attention/gated.rs"),
        include_str!("../../../runtime/src/cells/linear_attention/rwkv.rs"),
        include_str!("../../../runtime/src/cells/linear_attention/rwkv_matrix.rs"),
        include_str!("../../../runtime/src/cells/linear_attention/xlstm.rs"),
        include_str!("../../../runtime/src/cells/simple/elman.rs"),
        include_str!("../../../runtime/src/cells/simple/reservoir.rs"),
        include_str!("../../../runtime/src/cells/state_space/diagonal.rs"),
        include_str!("../../../runtime/src/cells/state_space/dual.rs"),
        include_str!("../../../runtime/src/cells/state_space/griffin.rs"),
        include_str!("../../../runtime/src/cells/state_space/hippo.rs"),
        include_str!("../../../runtime/src/cells/state_space/legendre.rs"),
        include_str!("../../../runtime/src/cells/state_space/lru.rs"),
        include_str!("../../../runtime/src/cells/state_space/selective.rs"),
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
