//! The implementation of the runtime's trait for the passes over a sequence, `Passes`.

use crate::emit::initial::InitialState;
use crate::emit::items::Items;
use crate::emit::layout::Layout;
use crate::emit::sequence::Sequence;
use crate::emit::skeleton::panicking_body;
use crate::emit::types::Types;
use proc_macro2::TokenStream;
use quote::quote;

impl Items<'_> {
    /// Implements `Passes` for the cell.
    pub(super) fn implement_passes(&self) -> TokenStream {
        let (cx, types) = (self.cx, &self.types);
        let (k, batch, generics) = (&cx.k, &cx.batch, self.generics());
        let Types { cell, tape, input, output, state, .. } = types;
        let (forward, backward) = match self.plan {
            None => (panicking_body(), panicking_body()),
            Some(plan) => {
                let sequence = Sequence { cx, plan };
                (sequence.forward(), sequence.backward())
            }
        };
        let context = self.context_type();
        let start_backward = self.plan.and_then(|plan| Some((plan, plan.initial.as_ref()?)));
        let start_backward = start_backward.map(|(plan, initial)| {
            let body =
                InitialState { cx, plan: initial, recorded: &plan.recorded, quantised: None }.backward();
            quote! {
                #[inline(always)]
                fn start_backward_on<__S: #k::Isa>(
                    &self, isa: __S, __context: &#context, __dstate: &#state, __grads: &mut Self,
                    __dcontext: ::core::option::Option<&mut #context>,
                ) {
                    let __cell = self;
                    #body
                }
            }
        });
        let reads_in_place = self.plan.is_some_and(|plan| (Layout { cx, plan }).reads_inputs_in_place());
        let clean_inputs = if reads_in_place { quote!(#k::Series<#input>) } else { quote!(()) };
        quote! {
            impl<#generics> #k::Passes<{ #batch }> for #cell {
                type CleanInputs = #clean_inputs;

                fn common(tape: &mut #tape) -> &mut #k::CommonTape<Self, { #batch }> {
                    &mut tape.common
                }

                #[inline(always)]
                fn forward_on<__S: #k::Isa>(
                    &self, isa: __S, __pass: #k::LayerPass<'_, Self, { #batch }>, __state: &mut #state,
                    __tape: &mut #tape,
                ) {
                    let #k::Pass { xs: __xs, context: __context, lengths: ref __lengths } = __pass;
                    let (__cell, __lengths) = (self, __lengths.as_ref());
                    #forward
                }

                #[inline(always)]
                fn backward_on<__S: #k::Isa>(
                    &self, isa: __S, __pass: #k::LayerPass<'_, Self, { #batch }>, __tape: &mut #tape,
                    __dys: &[#output], __bars: #k::LayerBars<'_, Self, { #batch }>,
                ) {
                    let #k::Pass { xs: __xs, context: __context, lengths: ref __lengths } = __pass;
                    let (__cell, __lengths) = (self, __lengths.as_ref());
                    let #k::Bars {
                        gradients: __grads, state: __dstate, inputs: mut __dxs, context: __dcontext,
                    } = __bars;
                    #backward
                }

                #start_backward
            }
        }
    }
}
