//! The initial values of the states and their pull-back.

use crate::emit::access::Access;
use crate::emit::body::{Body, Frame};
use crate::emit::context::EmitContext;
use crate::emit::past;
use crate::emit::stored::StoredValues;
use crate::graph::ir::{Id, Op};
use crate::plan::past::{Recorded, Source};
use crate::plan::schedule::Region;
use crate::plan::{InitialPlan, Pass, Place};
use crate::syntax::ast::DeclarationKind;
use proc_macro2::TokenStream;
use quote::quote;

pub struct InitialState<'a> {
    pub cx: &'a EmitContext<'a>,
    pub plan: &'a InitialPlan,
    /// The values of which earlier steps are read.
    pub recorded: &'a [Recorded],
    /// The stored values of a quantised copy, if the state is that of one.
    pub quantised: Option<&'a StoredValues>,
}

/// The frame of the initial values: slices of locals and of declarations.
struct InitialFrame<'a> {
    cx: &'a EmitContext<'a>,
    plan: &'a InitialPlan,
    recorded: &'a [Recorded],
    quantised: Option<&'a StoredValues>,
}

impl Frame for InitialFrame<'_> {
    fn bind(&self, _region: Region, reads: &[Id], writes: &[Id]) -> TokenStream {
        let (cx, k) = (self.cx, &self.cx.k);
        let mut bindings = TokenStream::new();
        for id in reads {
            let variable = self.plan.names.variable(*id);
            let stored =
                self.quantised.and_then(|stored| stored.read(cx, &self.plan.graph, &self.plan.names, *id));
            let slice = match (&self.plan.graph[*id].op, stored) {
                (_, Some(stored)) => stored,
                (Op::Read(piece), None) => {
                    let path = cx.declared_path(*piece);
                    match cx.cell.declarations[piece.of].kind {
                        DeclarationKind::Context => quote!(#k::Flat::flat(&__context.#path)),
                        _ => cx.saved(quote!(__cell), *piece, Access::Read),
                    }
                }
                (Op::CarryBar(piece), None)
                    if self.recorded.iter().any(|record| record.source == Source::State(*piece)) =>
                {
                    let sum = past::initial_bar(*piece);
                    quote!(#k::Flat::flat(&#sum))
                }
                (Op::CarryBar(piece), None) => {
                    let path = cx.declared_path(*piece);
                    quote!(#k::Flat::flat(&__dstate.#path))
                }
                (_, None) => {
                    let value = self.plan.names.owner(*id);
                    quote!(#k::Flat::flat(&*#value))
                }
            };
            bindings.extend(quote!(let #variable = #slice;));
        }
        for id in writes {
            let (variable, value) = (self.plan.names.variable(*id), self.plan.names.owner(*id));
            bindings.extend(quote!(let #variable = #k::Flat::flat_mut(&mut *#value);));
        }
        bindings
    }
}

impl InitialState<'_> {
    fn body<'s>(&'s self, pass: &'s Pass) -> Body<'s> {
        Body {
            cx: self.cx,
            graph: &self.plan.graph,
            names: &self.plan.names,
            pass,
            quantised: self.quantised,
        }
    }

    fn frame(&self) -> InitialFrame<'_> {
        InitialFrame { cx: self.cx, plan: self.plan, recorded: self.recorded, quantised: self.quantised }
    }

    /// Declares values on the heap, if there is one: the code runs once per sequence, and a matrix
    /// of parameters may be large.
    fn locals(&self, pass: &Pass) -> TokenStream {
        let (cx, k) = (self.cx, &self.cx.k);
        let stored = self.plan.graph.ids().filter(|id| pass.places.get(id) == Some(&Place::Fixed));
        let lines = stored.map(|id| {
            let node = &self.plan.graph[id];
            let (value, kind) = (self.plan.names.owner(id), cx.block_type(node.shape, node.level));
            let scalar = &cx.scalar;
            quote!(let mut #value = #k::on_heap_if_any(<#kind as #k::Varying<#scalar>>::zero);)
        });
        quote!(#(#lines)*)
    }

    fn regions(&self, pass: &Pass) -> TokenStream {
        let (body, frame) = (self.body(pass), self.frame());
        let regions = Region::ALL.iter().map(|region| body.region(*region, &frame));
        quote!(#(#regions)*)
    }

    /// Returns statements that fill `__state`, which is zero.
    pub fn forward(&self) -> TokenStream {
        let k = &self.cx.k;
        let (locals, regions) = (self.locals(&self.plan.forward), self.regions(&self.plan.forward));
        let copies = self.plan.values.iter().map(|bound| {
            let (path, value) = (self.cx.declared_path(bound.piece), self.plan.names.owner(bound.id));
            quote!(#k::Flat::flat_mut(&mut __state.#path).copy_from_slice(#k::Flat::flat(&*#value));)
        });
        let fill = past::fill_rings(self.cx, self.recorded);
        quote!(#locals #regions #(#copies)* #fill)
    }

    /// Returns statements that pull `__dstate` back through the initial values, adding to `__grads`
    /// and `__dcontext`.
    pub fn backward(&self) -> TokenStream {
        let (body, frame) = (self.body(&self.plan.backward), self.frame());
        let (locals, regions) = (self.locals(&self.plan.backward), self.regions(&self.plan.backward));
        let gradients = self.plan.gradients.iter().map(|bound| body.add_to_gradient(&frame, bound));
        let contexts = self.plan.context_bars.iter().map(|bound| body.add_to_context_bar(&frame, bound));
        let contexts = (!self.plan.context_bars.is_empty()).then(|| {
            quote! {
                if let ::core::option::Option::Some(__dcontext) = __dcontext {
                    #(#contexts)*
                }
            }
        });
        let ring_bars = past::add_ring_bars(self.cx, self.recorded);
        quote!(#ring_bars #locals #regions #(#gradients)* #contexts)
    }
}
