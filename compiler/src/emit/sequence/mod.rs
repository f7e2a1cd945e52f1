//! The passes over a sequence: `forward` fills the tape chunk by chunk, `backward` reads it from
//! the end.

mod backward;
mod forward;

use crate::emit::body::Body;
use crate::emit::context::EmitContext;
use crate::emit::layout::{Layout, TapeSeries};
use crate::plan::{Bound, Pass, Plan};
use proc_macro2::TokenStream;
use quote::quote;

pub struct Sequence<'a> {
    pub cx: &'a EmitContext<'a>,
    pub plan: &'a Plan,
}

impl<'a> Sequence<'a> {
    fn layout(&self) -> Layout<'_> {
        Layout { cx: self.cx, plan: self.plan }
    }

    fn body(&self, pass: &'a Pass) -> Body<'_> {
        Body { cx: self.cx, graph: &self.plan.graph, names: &self.plan.names, pass, quantised: None }
    }

    /// Returns statements that allocate the series that `is_wanted` selects.
    fn resize(&self, layout: &Layout, is_wanted: impl Fn(&TapeSeries) -> bool) -> TokenStream {
        let resize = |series: &TapeSeries| {
            let (name, length) = (&series.name, series.length());
            quote!(__tape.#name.resize(#length);)
        };
        layout.series().iter().filter(|series| is_wanted(series)).map(resize).collect()
    }

    /// Returns the path of an output's block in the output type.
    pub fn output_path(&self, bound: &Bound) -> TokenStream {
        let (rows, columns) = &self.plan.output_shapes[bound.piece.of];
        let path = self.cx.block_path((rows.len(), columns.len()), bound.piece.row, bound.piece.column);
        if self.plan.outputs.len() > 1 {
            let name = &self.cx.cell.outputs[bound.piece.of];
            return quote!(.#name #path);
        }
        path
    }
}
