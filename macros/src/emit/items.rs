//! The items that a definition expands to: the cell, its helper types, and their methods.
//!
//! A definition with mistakes has no [`Plan`]; its items then have the same signatures and no working bodies, so
//! that the mistakes are all that the user is told.

use crate::dim::Shape;
use crate::emit::context::{Context, Names};
use crate::emit::docs;
use crate::emit::hygiene::ident;
use crate::emit::layout::Layout;
use crate::emit::sequence::Sequence;
use crate::emit::start::Start;
use crate::emit::stream::Stream;
use crate::emit::{model, traits};
use crate::initial::Initialiser;
use crate::ir::Level;
use crate::plan::{Plan, declared};
use crate::resolve::Resolved;
use crate::syntax::ast::DeclarationKind;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The generated types, as they are named in signatures.
pub struct Types {
    pub cell: TokenStream,
    pub state: TokenStream,
    pub tape: TokenStream,
    pub prepared: TokenStream,
    pub context: Option<TokenStream>,
    pub input: TokenStream,
    pub input_bar: TokenStream,
    pub output: TokenStream,
    /// `const I: usize, const H: usize,`
    pub dims: TokenStream,
    /// `I, H,`
    pub dim_args: TokenStream,
}

pub struct Items<'a> {
    pub cx: &'a Context<'a>,
    pub resolved: &'a Resolved,
    pub initialisers: &'a [Option<Initialiser>],
    /// None for a definition with mistakes.
    pub plan: Option<&'a Plan>,
    pub types: Types,
}

impl<'a> Items<'a> {
    pub fn new(
        cx: &'a Context<'a>,
        resolved: &'a Resolved,
        initialisers: &'a [Option<Initialiser>],
        plan: Option<&'a Plan>,
    ) -> Self {
        let types = Types::new(cx, resolved);
        Items { cx, resolved, initialisers, plan, types }
    }

    pub fn emit(&self) -> TokenStream {
        let public = [self.cell_struct(), self.helper_structs()];
        let private = [self.methods(), model::emit(self), traits::emit(self)];
        let attributes = self.gates();
        quote! {
            #(#public)*
            #attributes
            #[allow(non_snake_case, non_upper_case_globals, unused_variables, unused_mut, unused_doc_comments, unused_parens)]
            #[allow(dead_code, unused_assignments, mixed_script_confusables, confusable_idents, uncommon_codepoints)]
            #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
            const _: () = {
                #(#private)*
            };
        }
    }

    /// The `cfg` attributes of the cell, which every item shares.
    pub fn gates(&self) -> TokenStream {
        let gates = self.cx.cell.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        quote!(#(#gates)*)
    }

    pub fn inputs(&self) -> Vec<usize> {
        declared(self.cx.cell, DeclarationKind::Input)
    }

    pub fn varying_inputs(&self) -> Vec<usize> {
        self.inputs().into_iter().filter(|index| self.cx.shapes.one_hot[*index].is_none()).collect()
    }

    /// A struct of helper fields, with `B` and `T`.
    fn helper(
        &self,
        suffix: &str,
        doc: &str,
        dims: &[usize],
        fields: &[(TokenStream, TokenStream)],
    ) -> TokenStream {
        let cx = self.cx;
        let (visibility, gates) = (&cx.cell.visibility, self.gates());
        let name = format_ident!("{}{}", cx.cell.name, suffix);
        let (scalar, batch) = (&cx.scalar, &cx.batch);
        let dims = cx.dim_parameters(dims);
        let fields: Vec<TokenStream> = match fields.is_empty() {
            false => fields.iter().map(|(head, kind)| quote!(#head: #kind)).collect(),
            true => {
                let doc =
                    "A cell without such values has none; the type is there so that signatures are alike.";
                vec![quote!(#[doc = #doc] pub nothing: ::core::marker::PhantomData<[#scalar; #batch]>)]
            }
        };
        quote! {
            #gates
            #[doc = #doc]
            #[allow(non_snake_case, dead_code, mixed_script_confusables, confusable_idents, uncommon_codepoints)]
            #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
            #visibility struct #name<#dims const #batch: usize = 1, #scalar = f32> {
                #(#fields,)*
            }
        }
    }

    /// Public fields for declarations.
    fn fields(&self, indices: &[usize]) -> Vec<(TokenStream, TokenStream)> {
        let cx = self.cx;
        indices
            .iter()
            .map(|index| {
                let declaration = &cx.cell.declarations[*index];
                let (name, attributes) = (&declaration.name, docs_of(&declaration.attributes));
                let shape = format!("`{}`", docs::shape(cx, *index));
                (quote!(#attributes #[doc = #shape] pub #name), cx.declared_type(*index))
            })
            .collect()
    }

    fn cell_struct(&self) -> TokenStream {
        let cx = self.cx;
        let cell = cx.cell;
        let (visibility, name, scalar) = (&cell.visibility, &cell.name, &cx.scalar);
        let attributes = &cell.attributes;
        let derives_debug = has_derive(attributes, "Debug");
        let derives_clone = has_derive(attributes, "Clone");
        let derives_eq = has_derive(attributes, "PartialEq");
        let mut derives = vec![];
        if !derives_debug {
            derives.push(quote!(::core::fmt::Debug));
        }
        if !derives_clone {
            derives.push(quote!(::core::clone::Clone));
        }
        if !derives_eq {
            derives.push(quote!(::core::cmp::PartialEq));
        }
        let doc = docs::cell(cx, &self.resolved.order);
        let dims = &self.types.dims;
        let mut saved = declared(cell, DeclarationKind::Param);
        saved.extend(declared(cell, DeclarationKind::Buffer));
        saved.sort_unstable();
        let fields: Vec<TokenStream> =
            self.fields(&saved).into_iter().map(|(head, kind)| quote!(#head: #kind)).collect();
        // A type parameter must be used.
        let marker = fields.is_empty().then(|| {
            quote!(#[doc = "A cell without parameters."] pub nothing: ::core::marker::PhantomData<#scalar>,)
        });
        quote! {
            #(#attributes)*
            #[doc = #doc]
            #[allow(non_snake_case, dead_code, mixed_script_confusables, confusable_idents, uncommon_codepoints)]
            #[derive(#(#derives),*)]
            // Products read whole columns: a parameter that starts within a cache line costs up to 1.5 times.
            #[repr(align(64))]
            #visibility struct #name<#dims #scalar = f32> {
                #(#fields,)*
                #marker
            }
        }
    }

    fn helper_structs(&self) -> TokenStream {
        let cx = self.cx;
        let name = &cx.cell.name;
        let of = |indices: &[usize]| {
            cx.dims_of(indices.iter().filter_map(|index| cx.shapes.declarations[*index].as_ref()))
        };
        let states = declared(cx.cell, DeclarationKind::State);
        let mut items = self.helper(
            "State",
            &format!("What [`{name}`] carries from step to step, `B` samples at a time; of a cotangent, the cotangents of it."),
            &of(&states),
            &self.fields(&states),
        );
        let contexts = declared(cx.cell, DeclarationKind::Context);
        if !contexts.is_empty() {
            let doc = format!("What stays the same for a whole sequence of [`{name}`].");
            items.extend(self.helper("Context", &doc, &of(&contexts), &self.fields(&contexts)));
        }
        let inputs = self.inputs();
        if inputs.len() > 1 {
            let doc = format!("What one step of [`{name}`] reads.");
            items.extend(self.helper("Input", &doc, &one_hot_free(cx, &inputs), &self.fields(&inputs)));
            let varying = self.varying_inputs();
            if varying.len() < inputs.len() && !varying.is_empty() {
                let doc = format!("The cotangents of [`{name}Input`]; an index has none.");
                items.extend(self.helper("InputBar", &doc, &of(&varying), &self.fields(&varying)));
            }
        }
        if cx.cell.outputs.len() > 1 {
            let shapes = output_shapes(cx, self.resolved);
            let dims = cx.dims_of(shapes.iter());
            let fields: Vec<_> = cx
                .cell
                .outputs
                .iter()
                .zip(&shapes)
                .map(|(name, shape)| {
                    let doc = format!("`{}`", shape.display(&cx.dim_names));
                    (quote!(#[doc = #doc] pub #name), cx.shape_type(shape, Level::Time))
                })
                .collect();
            items.extend(self.helper(
                "Output",
                &format!("What one step of [`{name}`] returns."),
                &dims,
                &fields,
            ));
        }
        items.extend(self.tape_struct());
        items.extend(self.prepared_struct());
        items
    }

    fn tape_struct(&self) -> TokenStream {
        let cx = self.cx;
        let (visibility, gates, k) = (&cx.cell.visibility, self.gates(), &cx.k);
        let name = format_ident!("{}Tape", cx.cell.name);
        let (scalar, batch, dims) = (&cx.scalar, &cx.batch, &self.types.dims);
        let doc = format!(
            "The residuals of a forward pass of [`{}`]: what its backward pass needs, a series a value, a column a step \
             and sample. Made by `tape()`, reused between sequences without allocating again.",
            cx.cell.name
        );
        let mut fields = vec![quote!(steps: usize)];
        if let Some(plan) = self.plan {
            let names = Names::new(cx.cell, cx.shapes, &plan.graph);
            let layout = Layout { cx, plan, names: &names };
            for field in layout.fields() {
                let (name, element) = (&field.name, &field.element);
                fields.push(quote!(#name: #k::Series<#element>));
            }
            for bound in &plan.states {
                let held = format_ident!("held_{}", layout.carry_series(bound.piece));
                let element = cx.block_type(plan.graph[bound.id].shape, Level::Time);
                fields.push(quote!(#held: #k::Series<#element>));
            }
            if !layout.returns_outputs_in_place() {
                let output = &self.types.output;
                fields.push(quote!(outputs: #k::Vec<#output>));
            }
        }
        let (cell, output) = (&self.types.cell, &self.types.output);
        quote! {
            #gates
            #[doc = #doc]
            #[allow(non_snake_case, dead_code, mixed_script_confusables, confusable_idents, uncommon_codepoints)]
            #[derive(::core::fmt::Debug, ::core::clone::Clone)]
            #visibility struct #name<#dims const #batch: usize = 1, #scalar: #k::Scalar = f32> {
                #(#fields,)*
                marker: ::core::marker::PhantomData<(fn() -> #cell, fn() -> #output)>,
            }
        }
    }

    fn prepared_struct(&self) -> TokenStream {
        let cx = self.cx;
        let (visibility, gates, k) = (&cx.cell.visibility, self.gates(), &cx.k);
        let name = format_ident!("{}Prepared", cx.cell.name);
        let (scalar, batch, dims) = (&cx.scalar, &cx.batch, &self.types.dims);
        let doc = format!(
            "[`{}`] ready to stream: holds everything that depends on parameters{} alone. Made by `prepare`.",
            cx.cell.name,
            if self.types.context.is_some() { " and context" } else { "" }
        );
        let fields = match self.plan {
            Some(plan) => {
                let names = Names::new(cx.cell, cx.shapes, &plan.graph);
                Stream { cx, plan, names: &names }.fields()
            }
            None => vec![],
        };
        let (heads, kinds): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        let cell = &self.types.cell;
        let context = self.types.context.iter();
        quote! {
            #gates
            #[doc = #doc]
            #[allow(non_snake_case, dead_code, mixed_script_confusables, confusable_idents, uncommon_codepoints)]
            #[derive(::core::fmt::Debug, ::core::clone::Clone)]
            #visibility struct #name<'a, #dims const #batch: usize = 1, #scalar: #k::Scalar = f32> {
                cell: &'a #cell,
                #(context: &'a #context,)*
                #(#heads: #kinds,)*
                marker: ::core::marker::PhantomData<[#scalar; #batch]>,
            }
        }
    }

    fn methods(&self) -> TokenStream {
        let (constants, passes) = (self.constants(), self.passes());
        let (cx, types) = (self.cx, &self.types);
        let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
        let (dims, cell, state, tape, prepared) =
            (&types.dims, &types.cell, &types.state, &types.tape, &types.prepared);
        let (input, input_bar, output) = (&types.input, &types.input_bar, &types.output);
        // With a context every signature has one more argument.
        let with: Vec<&TokenStream> = types.context.iter().collect();
        let give: Vec<TokenStream> = with.iter().map(|_| quote!(context)).collect();
        let bar: Vec<TokenStream> = with.iter().map(|_| quote!(dcontext)).collect();
        let (clean_forward, clean_backward) = self.clean_inputs();
        let outputs = match self.plan {
            None => quote!(&[]),
            Some(plan) => {
                let names = Names::new(cx.cell, cx.shapes, &plan.graph);
                let layout = Layout { cx, plan, names: &names };
                match plan.outputs.first().and_then(|output| output.first()) {
                    Some(bound) if layout.returns_outputs_in_place() => {
                        match plan.forward.places.get(&bound.id) {
                            Some(crate::plan::Place::State(piece)) => {
                                let series = layout.state_series(*piece);
                                quote!(tape.#series.as_slice().get(1..).unwrap_or(&[]))
                            }
                            _ => {
                                let field = names.field(bound.id);
                                quote!(tape.#field.as_slice())
                            }
                        }
                    }
                    _ => quote!(tape.outputs.as_slice()),
                }
            }
        };
        let new_tape = self.new_tape();
        let (start_forward, start_backward) = self.start();
        let (prepare, prepared_fields) = match self.plan {
            Some(plan) => {
                let names = Names::new(cx.cell, cx.shapes, &plan.graph);
                Stream { cx, plan, names: &names }.prepare()
            }
            None => (TokenStream::new(), TokenStream::new()),
        };
        let name = &cx.cell.name;
        let prepared_name = format_ident!("{}Prepared", name);
        let state_name = format_ident!("{}State", name);
        let (state_dims, sample_of) = self.sample_methods();
        let dim_args = &types.dim_args;
        let job_context: TokenStream = match with.is_empty() {
            true => quote!(&()),
            false => quote!(context),
        };
        quote! {
            #passes
            impl<#dims #scalar: #k::Scalar> #cell {
                #constants

                /// A state that is all zero: also the cotangent of a final state that no loss reads.
                pub fn zero_state<const #batch: usize>(&self) -> #state {
                    #k::Varying::zero()
                }

                /// The state that a sequence starts from: zero, or what the definition says.
                pub fn initial_state<const #batch: usize>(&self, #(context: &#with,)*) -> #state {
                    let mut __state: #state = #k::Varying::zero();
                    #start_forward
                    __state
                }

                /// Adds to `grads` what `dstate`, the cotangent of the initial state, hands to the parameters that
                /// the initial state is made of. Kept apart from `backward`: truncated BPTT must not reach it at a
                /// window's edge.
                pub fn initial_state_backward<const #batch: usize>(
                    &self,
                    #(context: &#with,)*
                    dstate: &#state,
                    grads: &mut Self,
                    #(dcontext: ::core::option::Option<&mut #with>,)*
                ) {
                    #start_backward
                }

                /// Puts `state` back to where a sequence starts.
                pub fn reset<const #batch: usize>(&self, #(context: &#with,)* state: &mut #state) {
                    *state = self.initial_state(#(#give,)*);
                }

                /// An empty tape.
                pub fn tape<const #batch: usize>(&self) -> #tape {
                    #new_tape
                }

                /// A handle for streaming, with everything computed that no input changes.
                pub fn prepare<'a, const #batch: usize>(&'a self, #(context: &'a #with,)*) -> #prepared {
                    struct __Prepare<'a, #dims const #batch: usize, #scalar: #k::Scalar>(
                        &'a #cell, #(&'a #with,)* ::core::marker::PhantomData<[#scalar; #batch]>,
                    );
                    impl<'a, #dims const #batch: usize, #scalar: #k::Scalar> #k::Job
                        for __Prepare<'a, #dim_args { #batch }, #scalar>
                    {
                        type Out = #prepared;
                        #[inline(always)]
                        fn run<__S: #k::Isa>(self, isa: __S) -> Self::Out {
                            let __Prepare(__cell, #(#give,)* _) = self;
                            #(let __context = #give;)*
                            #prepare
                            #prepared_name {
                                cell: __cell, #(#give,)* #prepared_fields marker: ::core::marker::PhantomData,
                            }
                        }
                    }
                    #k::dispatch(__Prepare::<#dim_args { #batch }, #scalar>(self, #(#give,)* ::core::marker::PhantomData))
                }

                /// One step: reads `x`, advances `state`, returns the output. Allocates nothing.
                #[inline]
                pub fn step<const #batch: usize>(&self, x: &#input, #(context: &#with,)* state: &mut #state) -> #output {
                    self.prepare(#(#give,)*).step(x, state)
                }

                /// Runs a sequence without keeping residuals: memory doesn't grow with its length, but for the outputs.
                /// `state` is the initial state on entry and the final one on return.
                pub fn run<const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* state: &mut #state,
                ) -> #k::Vec<#output> {
                    let mut tape = self.tape();
                    let mut ys = #k::Vec::with_capacity(xs.len());
                    for chunk in xs.chunks(#k::run_steps(#batch, xs.len())) {
                        ys.extend_from_slice(self.forward(chunk, #(#give,)* state, &mut tape));
                    }
                    ys
                }

                /// [`run`](Self::run) for samples of different lengths: a step at or past a sample's length leaves
                /// its state as it is, and reads its input as zero.
                pub fn run_ragged<const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* lengths: &[usize; #batch], state: &mut #state,
                ) -> #k::Vec<#output> {
                    let mut tape = self.tape();
                    let mut ys = #k::Vec::with_capacity(xs.len());
                    let size = #k::run_steps(#batch, xs.len());
                    for (index, chunk) in xs.chunks(size).enumerate() {
                        let rest = lengths.map(|length| length.saturating_sub(index * size));
                        ys.extend_from_slice(self.forward_ragged(chunk, #(#give,)* &rest, state, &mut tape));
                    }
                    ys
                }

                /// Runs a sequence and keeps on `tape` what [`backward`](Self::backward) needs.
                ///
                /// `state` is the initial state on entry and the final one on return. The outputs live in the tape.
                pub fn forward<'t, const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* state: &mut #state, tape: &'t mut #tape,
                ) -> &'t [#output] {
                    __forward(self, xs, #job_context, ::core::option::Option::None, state, tape);
                    self.outputs(tape)
                }

                /// [`forward`](Self::forward) for samples of different lengths: a step at or past a sample's length
                /// leaves its state as it is, and reads its input as zero.
                pub fn forward_ragged<'t, const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* lengths: &[usize; #batch], state: &mut #state,
                    tape: &'t mut #tape,
                ) -> &'t [#output] {
                    #clean_forward
                    __forward(self, xs, #job_context, ::core::option::Option::Some(lengths), state, tape);
                    self.outputs(tape)
                }

                /// The outputs of the last forward pass.
                pub fn outputs<'t, const #batch: usize>(&self, tape: &'t #tape) -> &'t [#output] {
                    #outputs
                }

                /// Pulls cotangents back through the last forward pass on `tape`, which must have been over the same `xs`.
                ///
                /// `dys` are the cotangents of the outputs (empty: all zero). `dstate` is the cotangent of the final
                /// state on entry, of the initial one on return. Adds into `grads`; overwrites `dxs`.
                ///
                /// # Panics
                /// If the lengths of `xs`, `dys` or `dxs` are not the tape's.
                pub fn backward<const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* tape: &mut #tape, dys: &[#output], dstate: &mut #state,
                    grads: &mut Self, dxs: ::core::option::Option<&mut [#input_bar]>,
                    #(dcontext: ::core::option::Option<&mut #with>,)*
                ) {
                    __backward(
                        self, xs, #job_context, ::core::option::Option::None, tape, dys, dstate, grads, dxs, #(#bar,)*
                    );
                }

                /// [`backward`](Self::backward) for samples of different lengths, as they were given to
                /// [`forward_ragged`](Self::forward_ragged): what lies past a sample's end carries no cotangent.
                ///
                /// # Panics
                /// If the lengths of `xs`, `dys` or `dxs` are not the tape's.
                pub fn backward_ragged<const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* lengths: &[usize; #batch], tape: &mut #tape,
                    dys: &[#output], dstate: &mut #state, grads: &mut Self,
                    dxs: ::core::option::Option<&mut [#input_bar]>,
                    #(dcontext: ::core::option::Option<&mut #with>,)*
                ) {
                    #clean_backward
                    __backward(
                        self, xs, #job_context, ::core::option::Option::Some(lengths), tape, dys, dstate, grads, dxs,
                        #(#bar,)*
                    );
                }
            }

            impl<'a, #dims const #batch: usize, #scalar: #k::Scalar> #prepared_name<'a, #dim_args { #batch }, #scalar> {
                /// One step: reads `x`, advances `state`, returns the output. Allocates nothing.
                #[inline]
                pub fn step(&self, x: &#input, state: &mut #state) -> #output {
                    __step(self, x, state)
                }
            }

            impl<#state_dims const #batch: usize, #scalar: #k::Scalar> #state_name<#sample_of { #batch }, #scalar> {
                /// The state of one sample of the batch.
                ///
                /// # Panics
                /// If there is no such sample.
                pub fn sample(&self, sample: usize) -> #state_name<#sample_of 1, #scalar> {
                    let mut one: #state_name<#sample_of 1, #scalar> = #k::Varying::zero();
                    #k::take_sample(self, sample, #batch, &mut one);
                    one
                }

                /// Replaces the state of one sample of the batch.
                ///
                /// # Panics
                /// If there is no such sample.
                pub fn set_sample(&mut self, sample: usize, one: &#state_name<#sample_of 1, #scalar>) {
                    #k::replace_sample(self, sample, #batch, one);
                }
            }
        }
    }

    /// The state's dimensions as parameters and as arguments.
    fn sample_methods(&self) -> (TokenStream, TokenStream) {
        let cx = self.cx;
        let states = declared(cx.cell, DeclarationKind::State);
        let dims = cx.dims_of(states.iter().filter_map(|index| cx.shapes.declarations[*index].as_ref()));
        (cx.dim_parameters(&dims), cx.dim_arguments(&dims))
    }

    /// What reads its inputs where they stand must not meet what lies past a sample's end.
    fn clean_inputs(&self) -> (TokenStream, TokenStream) {
        let k = &self.cx.k;
        let Some(plan) = self.plan else { return (TokenStream::new(), TokenStream::new()) };
        let names = Names::new(self.cx.cell, self.cx.shapes, &plan.graph);
        let layout = Layout { cx: self.cx, plan, names: &names };
        if !layout.reads_inputs_in_place() {
            return (TokenStream::new(), TokenStream::new());
        }
        let clean = quote! {
            let clean = #k::without_padding(xs, lengths);
            let xs = clean.as_slice();
        };
        (clean.clone(), clean)
    }

    fn new_tape(&self) -> TokenStream {
        let (cx, k) = (self.cx, &self.cx.k);
        let name = format_ident!("{}Tape", cx.cell.name);
        let mut fields = vec![quote!(steps: 0)];
        if let Some(plan) = self.plan {
            let names = Names::new(cx.cell, cx.shapes, &plan.graph);
            let layout = Layout { cx, plan, names: &names };
            for field in layout.fields() {
                let name = &field.name;
                fields.push(quote!(#name: #k::Series::new()));
            }
            for bound in &plan.states {
                let held = format_ident!("held_{}", layout.carry_series(bound.piece));
                fields.push(quote!(#held: #k::Series::new()));
            }
            if !layout.returns_outputs_in_place() {
                fields.push(quote!(outputs: #k::Vec::new()));
            }
        }
        quote!(#name { #(#fields,)* marker: ::core::marker::PhantomData })
    }

    fn start(&self) -> (TokenStream, TokenStream) {
        let (cx, k) = (self.cx, &self.cx.k);
        let Some(initial) = self.plan.and_then(|plan| plan.initial.as_ref()) else {
            return (TokenStream::new(), TokenStream::new());
        };
        let names = Names::new(cx.cell, cx.shapes, &initial.graph);
        let start = Start { cx, plan: initial, names: &names };
        let (forward, backward) = (start.forward(), start.backward());
        let (scalar, batch, dims, dim_args) = (&cx.scalar, &cx.batch, &self.types.dims, &self.types.dim_args);
        let (cell, state) = (&self.types.cell, &self.types.state);
        let with: Vec<&TokenStream> = self.types.context.iter().collect();
        let give: Vec<TokenStream> = with.iter().map(|_| quote!(context)).collect();
        let bar: Vec<TokenStream> = with.iter().map(|_| quote!(dcontext)).collect();
        let head = quote!('a, #dims const #batch: usize, #scalar: #k::Scalar);
        let args = quote!('a, #dim_args { #batch }, #scalar);
        (
            quote! {
                struct __Start<#head> { cell: &'a #cell, #(context: &'a #with,)* state: &'a mut #state }
                impl<#head> #k::Job for __Start<#args> {
                    type Out = ();
                    #[inline(always)]
                    fn run<__S: #k::Isa>(self, isa: __S) {
                        let __Start { cell: __cell, #(#give: __context,)* state: __state } = self;
                        #forward
                    }
                }
                #k::dispatch(__Start { cell: self, #(#give,)* state: &mut __state });
            },
            quote! {
                struct __StartBackward<#head> {
                    cell: &'a #cell, #(context: &'a #with,)* dstate: &'a #state, grads: &'a mut #cell,
                    #(dcontext: ::core::option::Option<&'a mut #with>,)*
                }
                impl<#head> #k::Job for __StartBackward<#args> {
                    type Out = ();
                    #[inline(always)]
                    fn run<__S: #k::Isa>(self, isa: __S) {
                        let __StartBackward {
                            cell: __cell, #(#give: __context,)* dstate: __dstate, grads: __grads, #(#bar: __dcontext,)*
                        } = self;
                        #backward
                    }
                }
                #k::dispatch(__StartBackward { cell: self, #(#give,)* dstate, grads, #(#bar,)* });
            },
        )
    }

    /// The jobs that the runtime runs for the instruction set it finds.
    fn passes(&self) -> TokenStream {
        let (cx, types) = (self.cx, &self.types);
        let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
        let (dims, dim_args, cell, state, tape) =
            (&types.dims, &types.dim_args, &types.cell, &types.state, &types.tape);
        let (input, input_bar, output) = (&types.input, &types.input_bar, &types.output);
        let context = types.context.clone().unwrap_or(quote!(()));
        let prepared = &types.prepared;
        let bars: Vec<TokenStream> = types.context.iter().map(|_| quote!(dcontext)).collect();
        let with: Vec<&TokenStream> = types.context.iter().collect();
        let (forward, backward, step, clear) = match self.plan {
            None => {
                let panic = quote!(::core::panic!("the definition of this cell has mistakes"));
                (panic.clone(), panic.clone(), panic, TokenStream::new())
            }
            Some(plan) => {
                let names = Names::new(cx.cell, cx.shapes, &plan.graph);
                let sequence = Sequence { cx, plan, names: &names, output };
                let layout = Layout { cx, plan, names: &names };
                let clear = match layout.returns_outputs_in_place() {
                    true => TokenStream::new(),
                    false => quote!(tape.outputs.clear();),
                };
                (sequence.forward(), sequence.backward(), Stream { cx, plan, names: &names }.step(), clear)
            }
        };
        let give: Vec<TokenStream> = with.iter().map(|_| quote!(__context)).collect();
        let head = quote!('a, #dims const #batch: usize, #scalar: #k::Scalar);
        let args = quote!('a, #dim_args { #batch }, #scalar);
        let plain = quote!(#dims const #batch: usize, #scalar: #k::Scalar);
        quote! {
            struct __Step<'p, #head> { prepared: &'p #prepared, x: &'p #input, state: &'p mut #state }
            impl<'p, #head> #k::Job for __Step<'p, #args> {
                type Out = #output;
                #[inline(always)]
                fn run<__S: #k::Isa>(self, isa: __S) -> Self::Out {
                    let __Step { prepared: __prepared, x: __x, state: __state } = self;
                    let __cell = __prepared.cell;
                    #(let #give = __prepared.context;)*
                    #step
                }
            }
            #[inline]
            fn __step<#head>(prepared: &#prepared, x: &#input, state: &mut #state) -> #output {
                #k::dispatch(__Step { prepared, x, state })
            }

            struct __Forward<#head> {
                cell: &'a #cell,
                xs: &'a [#input],
                context: &'a #context,
                lengths: ::core::option::Option<&'a [usize; #batch]>,
                state: &'a mut #state,
                tape: &'a mut #tape,
            }
            impl<#head> #k::Job for __Forward<#args> {
                type Out = ();
                #[inline(always)]
                fn run<__S: #k::Isa>(self, isa: __S) {
                    let __Forward {
                        cell: __cell, xs: __xs, context: __context, lengths: __lengths, state: __state, tape: __tape,
                    } = self;
                    #forward
                }
            }
            fn __forward<#plain>(
                cell: &#cell,
                xs: &[#input],
                context: &#context,
                lengths: ::core::option::Option<&[usize; #batch]>,
                state: &mut #state,
                tape: &mut #tape,
            ) {
                #clear
                #k::dispatch(__Forward { cell, xs, context, lengths, state, tape });
            }

            struct __Backward<#head> {
                cell: &'a #cell,
                xs: &'a [#input],
                context: &'a #context,
                lengths: ::core::option::Option<&'a [usize; #batch]>,
                tape: &'a mut #tape,
                dys: &'a [#output],
                dstate: &'a mut #state,
                grads: &'a mut #cell,
                dxs: ::core::option::Option<&'a mut [#input_bar]>,
                #(dcontext: ::core::option::Option<&'a mut #with>,)*
            }
            impl<#head> #k::Job for __Backward<#args> {
                type Out = ();
                #[inline(always)]
                fn run<__S: #k::Isa>(self, isa: __S) {
                    let __Backward {
                        cell: __cell, xs: __xs, context: __context, lengths: __lengths, tape: __tape, dys: __dys,
                        dstate: __dstate, grads: __grads, dxs: mut __dxs, #(#bars: __dcontext,)*
                    } = self;
                    #backward
                }
            }
            fn __backward<#plain>(
                cell: &#cell,
                xs: &[#input],
                context: &#context,
                lengths: ::core::option::Option<&[usize; #batch]>,
                tape: &mut #tape,
                dys: &[#output],
                dstate: &mut #state,
                grads: &mut #cell,
                dxs: ::core::option::Option<&mut [#input_bar]>,
                #(dcontext: ::core::option::Option<&mut #with>,)*
            ) {
                #k::check_lengths(tape.steps, xs.len(), dys.len(), dxs.as_deref().map(<[#input_bar]>::len));
                #k::dispatch(__Backward { cell, xs, context, lengths, tape, dys, dstate, grads, dxs, #(#bars,)* });
            }
        }
    }

    fn constants(&self) -> TokenStream {
        let (cx, scalar) = (self.cx, &self.cx.scalar);
        let size = |kind: DeclarationKind| {
            let sizes = declared(cx.cell, kind).into_iter().filter_map(|index| {
                let shape = cx.shapes.declarations[index].as_ref()?;
                let (rows, columns) = (cx.dim(&shape.rows), cx.dim(&shape.columns));
                Some(quote!(#rows * #columns))
            });
            quote!((0 #(+ #sizes)*))
        };
        let (parameters, states) = (size(DeclarationKind::Param), size(DeclarationKind::State));
        let (flops, tape, adjoints) = match self.plan {
            Some(plan) => {
                let names = Names::new(cx.cell, cx.shapes, &plan.graph);
                let layout = Layout { cx, plan, names: &names };
                (
                    model::flops(cx, plan),
                    crate::emit::sequence::tape_scalars(&layout),
                    docs::adjoints(cx, plan, &names),
                )
            }
            None => (quote!(0), quote!(0), String::new()),
        };
        let equations = docs::equations(cx, &self.resolved.order);
        quote! {
            /// The number of learned scalars.
            pub const PARAMETER_COUNT: usize = #parameters;
            /// Floating-point operations of one step and sample: two for each multiplication of a product with
            /// its addition, one for each element-wise operation and each elementary function.
            pub const FLOPS_PER_STEP: usize = #flops;
            /// Bytes that a tape keeps for each step and sample.
            pub const TAPE_BYTES_PER_STEP: usize = #tape * ::core::mem::size_of::<#scalar>();
            /// Bytes of one sample's state.
            pub const STATE_BYTES: usize = #states * ::core::mem::size_of::<#scalar>();
            /// The equations of a step, in the order of their evaluation.
            pub const EQUATIONS: &'static str = #equations;
            /// The derived equations of the backward pass: `x_bar` is the cotangent of `x`, `Σ` a sum over steps
            /// and samples.
            pub const ADJOINTS: &'static str = #adjoints;
        }
    }
}

impl Types {
    fn new(cx: &Context, resolved: &Resolved) -> Self {
        let name = &cx.cell.name;
        let (scalar, batch) = (&cx.scalar, &cx.batch);
        let helper = |suffix: &str, dims: &[usize]| {
            let (name, dims) = (format_ident!("{}{}", name, suffix), cx.dim_arguments(dims));
            quote!(#name<#dims { #batch }, #scalar>)
        };
        let of = |indices: &[usize]| {
            cx.dims_of(indices.iter().filter_map(|index| cx.shapes.declarations[*index].as_ref()))
        };
        let all = cx.all_dims();
        let dim_args = cx.dim_arguments(&all);
        let inputs = declared(cx.cell, DeclarationKind::Input);
        let varying: Vec<usize> =
            inputs.iter().copied().filter(|index| cx.shapes.one_hot[*index].is_none()).collect();
        let input = match inputs[..] {
            [] => quote!(()),
            [only] => cx.declared_type(only),
            _ => helper("Input", &one_hot_free(cx, &inputs)),
        };
        let input_bar = match (inputs.len(), varying.len()) {
            (_, 0) => quote!(()),
            (1, 1) => input.clone(),
            (all, some) if all == some => input.clone(),
            _ => helper("InputBar", &of(&varying)),
        };
        let shapes = output_shapes(cx, resolved);
        let output = match &shapes[..] {
            [only] => cx.shape_type(only, Level::Time),
            shapes => helper("Output", &cx.dims_of(shapes.iter())),
        };
        let contexts = declared(cx.cell, DeclarationKind::Context);
        let prepared = ident(&format!("{name}Prepared"));
        Types {
            cell: quote!(#name<#dim_args #scalar>),
            state: helper("State", &of(&declared(cx.cell, DeclarationKind::State))),
            tape: helper("Tape", &all),
            prepared: quote!(#prepared<'a, #dim_args { #batch }, #scalar>),
            context: (!contexts.is_empty()).then(|| helper("Context", &of(&contexts))),
            input,
            input_bar,
            output,
            dims: cx.dim_parameters(&all),
            dim_args,
        }
    }
}

/// The dimensions of an input's fields: an index has none.
fn one_hot_free(cx: &Context, inputs: &[usize]) -> Vec<usize> {
    let varying = inputs.iter().filter(|index| cx.shapes.one_hot[**index].is_none());
    cx.dims_of(varying.filter_map(|index| cx.shapes.declarations[*index].as_ref()))
}

/// An unknown shape (a mistake that has been reported) stands as a scalar.
pub fn output_shapes(cx: &Context, resolved: &Resolved) -> Vec<Shape> {
    resolved
        .outputs
        .iter()
        .map(|target| {
            let target = (*target)?;
            cx.shapes.targets.get(target.equation)?.get(target.index)?.clone()
        })
        .map(|shape| shape.unwrap_or_else(Shape::scalar))
        .collect()
}

/// Doc comments alone.
fn docs_of(attributes: &[syn::Attribute]) -> TokenStream {
    let docs = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    quote!(#(#docs)*)
}

/// Whether the user derives a trait that we would.
fn has_derive(attributes: &[syn::Attribute], name: &str) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let mut found = false;
        // A malformed derive is rustc's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|segment| segment.ident == name);
            Ok(())
        });
        found
    })
}
