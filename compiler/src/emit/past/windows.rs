//! The statements of windows and of their masks.

use crate::emit::body::Body;
use crate::emit::bug::bug;
use crate::emit::frame::SequenceFrame;
use crate::emit::hygiene::ident;
use crate::emit::layout::first_step;
use crate::graph::ir::{Id, Op};
use crate::plan::schedule::Region;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

impl SequenceFrame<'_> {
    /// Returns the statement of a window or of its mask.
    pub fn window_in_sequence(&self, body: &Body, region: Region, id: Id) -> TokenStream {
        let cx = self.layout.cx;
        let (k, batch) = (&cx.k, &cx.batch);
        let node = &body.graph[id];
        let out = body.var(id);
        let first = first_step(region);
        // The backward pass must not read padding.
        let lengths = if self.is_backward { quote!(__lengths) } else { quote!(::core::option::Option::None) };
        let span = quote!(#k::Span::<{ #batch }> { first: #first, steps: __steps, lengths: #lengths });
        match (&node.op, node.args.as_slice()) {
            (&Op::Window { entries, spacing }, &[past, now]) => {
                let Op::Past(earlier) = body.graph[past].op else { return bug("a window without a past") };
                let front = cx.depth(earlier.ring);
                let shape = body.graph[now].shape;
                let (heads, size) = (cx.atom(shape.heads), cx.atom(shape.rows));
                let (past, now) = (body.var(past), body.var(now));
                let (entries, spacing) = (cx.atom(entries), cx.atom(spacing));
                quote! {
                    #k::windows(
                        &mut *#out, (&*#past, #front), &*#now, (#heads, #size), (#entries, #spacing), #span,
                    );
                }
            }
            (&Op::Present { entries, spacing }, _) => {
                let (entries, spacing) = (cx.atom(entries), cx.atom(spacing));
                quote!(#span.present(&mut *#out, (#entries, #spacing), __tape.steps_before.step(0));)
            }
            _ => bug("another node as a window"),
        }
    }
}

/// Returns the statement of a window, or of its mask, in a step.
pub fn window_in_step(body: &Body, id: Id) -> TokenStream {
    let cx = body.cx;
    let (k, batch) = (&cx.k, &cx.batch);
    let out = body.var(id);
    match body.graph[id].op {
        Op::Window { .. } if body.is_in_ring(id) => TokenStream::new(),
        Op::Window { .. } => {
            let Some(Window { ring, now, lengths }) = Window::of(body, id) else {
                return bug("a window without a past");
            };
            quote!(#ring.window(&mut *#out, &*#now, #lengths);)
        }
        Op::Present { entries, spacing } => {
            let (field, entries, spacing) = (ident(&cx.steps_field), cx.atom(entries), cx.atom(spacing));
            quote! {
                for __sample in 0..#batch {
                    #k::present(
                        #k::column_mut(&mut *#out, #entries, __sample), #spacing,
                        __state.#field.counts()[__sample] as usize,
                    );
                }
            }
        }
        _ => bug("another node as a window"),
    }
}

/// Returns the column `__c` of a window in its ring, in a loop over samples and heads.
pub fn window_column_in_step(body: &Body, id: Id) -> TokenStream {
    let Some(Window { ring, now, lengths }) = Window::of(body, id) else {
        return bug("a window without a past");
    };
    let head = if body.graph[id].shape.has_heads() { quote!(__head) } else { quote!(0) };
    quote!(#ring.window_column(&*#now, (__j, #head), #lengths, __c))
}

/// The parts of a window in a step.
struct Window {
    /// The ring of the earlier values.
    ring: TokenStream,
    /// The variable of the present value.
    now: Ident,
    /// The number of heads, the number of entries, and the number of steps between entries.
    lengths: TokenStream,
}

impl Window {
    fn of(body: &Body, id: Id) -> Option<Self> {
        let (cx, node) = (body.cx, &body.graph[id]);
        let (&Op::Window { entries, spacing }, &[past, now]) = (&node.op, node.args.as_slice()) else {
            return None;
        };
        let Op::Past(earlier) = body.graph[past].op else { return None };
        let field = cx.ring_field(earlier.piece, earlier.ring);
        let [heads, entries, spacing] = [node.shape.heads, entries, spacing].map(|atom| cx.atom(atom));
        Some(Window {
            ring: quote!(__state.#field),
            now: body.var(now),
            lengths: quote!((#heads, #entries, #spacing)),
        })
    }
}
