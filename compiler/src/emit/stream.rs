//! A single step, with everything in registers and on the stack.

use crate::emit::body::{Body, Frame};
use crate::emit::context::EmitContext;
use crate::emit::frame::read_leaf;
use crate::emit::hygiene;
use crate::emit::layout::Layout;
use crate::emit::past;
use crate::emit::sequence::Sequence;
use crate::emit::stored::StoredValues;
use crate::graph::ir::{Id, Level, Op};
use crate::plan::schedule::Region;
use crate::plan::{Place, Plan};
use crate::syntax::ast::DeclarationKind;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

pub struct Stream<'a> {
    pub cx: &'a EmitContext<'a>,
    pub plan: &'a Plan,
    /// The stored values of a quantised copy, if the step is that of one.
    pub quantised: Option<&'a StoredValues>,
}

/// The frame of a single step: slices of locals, of the fixed values and of the arguments.
struct StreamFrame<'a> {
    layout: &'a Layout<'a>,
    /// Fixed values are locals while they are prepared, and fields of a struct afterwards.
    is_preparing: bool,
    quantised: Option<&'a StoredValues>,
}

impl Frame for StreamFrame<'_> {
    fn bind(&self, region: Region, reads: &[Id], writes: &[Id]) -> TokenStream {
        let Layout { cx, plan } = self.layout;
        let names = &plan.names;
        let k = &cx.k;
        let mut bindings = TokenStream::new();
        for id in reads {
            let variable = names.variable(*id);
            let stored = self.quantised.and_then(|stored| stored.read(cx, &plan.graph, names, *id));
            let slice = match &plan.graph[*id].op {
                _ if stored.is_some() => quote!(#stored),
                Op::Read(piece) if cx.cell.declarations[piece.of].kind == DeclarationKind::Input => {
                    let path = cx.input_path(*piece);
                    quote!(#k::Flat::flat(&(*__x) #path))
                }
                Op::Read(piece) => read_leaf(self.layout, *piece, region),
                Op::Previous(piece) => {
                    let path = cx.declared_path(*piece);
                    quote!(#k::Flat::flat(&__state.#path))
                }
                Op::Past(earlier) => {
                    let local = hygiene::variable(&format!("local_{}", names.text(*id)));
                    bindings.extend(past::bind_delay(cx, &variable, *earlier, &local));
                    continue;
                }
                _ if plan.graph[*id].level < Level::Time && !self.is_preparing => {
                    let field = names.field(*id);
                    quote!(#k::Flat::flat(&__fixed.#field))
                }
                _ => {
                    let value = result(self.layout, *id);
                    quote!(#k::Flat::flat(&#value))
                }
            };
            bindings.extend(quote!(let #variable = #slice;));
        }
        let places = &plan.streaming.places;
        for id in writes.iter().filter(|id| places.get(id) != Some(&Place::Ring)) {
            let (variable, value) = (names.variable(*id), result(self.layout, *id));
            bindings.extend(quote!(let #variable = #k::Flat::flat_mut(&mut #value);));
        }
        bindings
    }

    fn window_statement(&self, body: &Body, _: Region, id: Id) -> TokenStream {
        past::window_in_step(body, id)
    }
}

/// Returns the place of a value after the step.
fn result(layout: &Layout, id: Id) -> TokenStream {
    let value = layout.plan.names.owner(id);
    match layout.plan.streaming.places.get(&id) {
        Some(Place::State(piece)) => {
            let path = layout.cx.declared_path(*piece);
            quote!(__state.#path)
        }
        // `scratch` returns an aligned value.
        Some(Place::Buffer(_)) => quote!(#value.0),
        _ => quote!(#value),
    }
}

impl Stream<'_> {
    /// Returns the fields for the fixed values, which depend on parameters and context alone.
    pub fn fixed_fields(&self) -> Vec<(Ident, TokenStream)> {
        self.fields_of(self.fixed())
    }

    /// Returns the fields for the fixed values that depend on the context.
    pub fn context_fixed_fields(&self) -> Vec<(Ident, TokenStream)> {
        self.fields_of(self.fixed_at(Level::Context))
    }

    fn fields_of(&self, ids: Vec<Id>) -> Vec<(Ident, TokenStream)> {
        ids.into_iter()
            .map(|id| {
                let node = &self.plan.graph[id];
                (self.plan.names.field(id), self.cx.block_type(node.shape, node.level))
            })
            .collect()
    }

    fn fixed(&self) -> Vec<Id> {
        let places = &self.plan.streaming.places;
        self.plan.graph.ids().filter(|id| places.get(id) == Some(&Place::Fixed)).collect()
    }

    fn fixed_at(&self, level: Level) -> Vec<Id> {
        self.fixed().into_iter().filter(|id| self.plan.graph[*id].level == level).collect()
    }

    fn layout(&self) -> Layout<'_> {
        Layout { cx: self.cx, plan: self.plan }
    }

    fn body(&self) -> Body<'_> {
        Body {
            cx: self.cx,
            graph: &self.plan.graph,
            names: &self.plan.names,
            pass: &self.plan.streaming,
            quantised: self.quantised,
        }
    }

    fn locals(&self, ids: &[Id], initial: impl Fn(&TokenStream) -> TokenStream) -> TokenStream {
        let cx = self.cx;
        let lines = ids.iter().map(|id| {
            let node = &self.plan.graph[*id];
            let (value, kind) = (self.plan.names.owner(*id), cx.block_type(node.shape, node.level));
            let initial = initial(&kind);
            quote!(let mut #value = #initial;)
        });
        quote!(#(#lines)*)
    }

    /// Returns statements that compute the fixed values and end in the struct of this name, or in
    /// `()` without values.
    pub fn prepare(&self, name: &Ident) -> TokenStream {
        self.compute_fixed(name, &self.fixed(), &[Region::Param, Region::Context])
    }

    /// Returns statements that compute the values that depend on parameters alone, each in its
    /// [`owner`](crate::lower::names::ValueNames::owner).
    pub fn prepare_parameters(&self) -> TokenStream {
        self.compute(&self.fixed_at(Level::Param), &[Region::Param])
    }

    /// Returns statements that compute the values that depend on the context and end in the struct
    /// of this name, or in `()` without values.
    pub fn prepare_context(&self, name: &Ident) -> TokenStream {
        self.compute_fixed(name, &self.fixed_at(Level::Context), &[Region::Context])
    }

    fn compute(&self, ids: &[Id], regions: &[Region]) -> TokenStream {
        let layout = self.layout();
        let frame = StreamFrame { layout: &layout, is_preparing: true, quantised: self.quantised };
        let (k, scalar) = (&self.cx.k, &self.cx.scalar);
        let locals = self.locals(ids, |kind| quote!(<#kind as #k::Varying<#scalar>>::zero()));
        let body = self.body();
        let regions = regions.iter().map(|region| body.region(*region, &frame));
        quote!(#locals #(#regions)*)
    }

    fn compute_fixed(&self, name: &Ident, ids: &[Id], regions: &[Region]) -> TokenStream {
        let values = self.compute(ids, regions);
        let fields = ids.iter().map(|id| {
            let (field, value) = (self.plan.names.field(*id), self.plan.names.owner(*id));
            quote!(#field: #value,)
        });
        if ids.is_empty() { values } else { quote!(#values #name { #(#fields)* }) }
    }

    /// Returns the statements of a step, ending in the output.
    pub fn step(&self) -> TokenStream {
        let layout = self.layout();
        let EmitContext { k, batch, .. } = self.cx;
        let frame = StreamFrame { layout: &layout, is_preparing: false, quantised: self.quantised };
        let body = self.body();
        let places = &self.plan.streaming.places;
        let stored: Vec<Id> =
            self.plan.graph.ids().filter(|id| matches!(places.get(id), Some(Place::Buffer(_)))).collect();
        let locals = self.locals(&stored, |kind| quote!(#k::scratch::<#kind>(#batch)));
        let step = body.region(Region::Step, &frame);
        let kept =
            self.plan.states.iter().filter(|bound| !matches!(places.get(&bound.id), Some(Place::State(_))));
        let save = kept.map(|bound| {
            let (path, value) = (self.cx.declared_path(bound.piece), result(&layout, bound.id));
            quote!(#k::copy_flat(&mut __state.#path, &#value);)
        });
        let output = if layout.returns_outputs_in_place() {
            let id = self.plan.outputs[0][0].id;
            match (result(&layout, id), places.get(&id)) {
                (value, Some(Place::State(_))) => quote!(::core::clone::Clone::clone(&#value)),
                (value, _) => value,
            }
        } else {
            let sequence = Sequence { cx: self.cx, plan: self.plan };
            let copies = self.plan.outputs.iter().flatten().map(|bound| {
                let (path, value) = (sequence.output_path(bound), result(&layout, bound.id));
                quote!(#k::copy_flat(&mut __output #path, &#value);)
            });
            quote! {
                let mut __output: Self::Output = #k::Varying::zero();
                #(#copies)*
                __output
            }
        };
        let record_states = past::record_states(&layout);
        let record_values = past::record_values(&layout, |id| result(&layout, id));
        quote! {
            #record_states
            #locals
            #step
            #(#save)*
            #record_values
            #output
        }
    }
}
