//! Code that lets editors find the definition of each name in `rnn_cell!`.
//!
//! The generated code works on blocks and fused regions and never mentions a name like `W`. This
//! module emits `__cell.W` with the span of each `W` that the user wrote, so that "go to
//! definition", hover, references and renaming work as they do in Rust. Only rust-analyzer sets
//! `cfg(rust_analyzer)`: rustc drops this code before it resolves names.

use crate::analysis::initialisers::is_initialiser;
use crate::analysis::resolve::{Callee, Delayed, Symbol, Target, key};
use crate::dim::Shape;
use crate::emit::items::Items;
use crate::graph::ir::Level;
use crate::syntax::ast::{DeclarationKind, DimTerm, Expr, ExprKind, Function, ShapeKind, ShapeSyntax, Time};
use crate::text::definition;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// Statements that mention the user's names. Dimensions are kept apart: they must be mentioned in
/// the scope of the cell's generic parameters, even if they occur in a function's body.
#[derive(Debug, Default)]
struct Found {
    names: Vec<TokenStream>,
    dimensions: Vec<TokenStream>,
}

/// The largest number of blocks for which a type is written out. In a definition with mistakes, a
/// stack may double with each equation.
const MOST_BLOCKS: usize = 64;

/// Returns a method that mentions every name of a cell. It is placed beside the cell rather than in
/// a block, because rust-analyzer searches the surrounding module for mentions of a generic
/// parameter.
pub fn mentions(items: &Items) -> TokenStream {
    Mentions { items }.emit()
}

/// The mentions of one cell's names.
struct Mentions<'a> {
    items: &'a Items<'a>,
}

impl Mentions<'_> {
    fn emit(&self) -> TokenStream {
        let (cx, types) = (self.items.cx, &self.items.types);
        let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
        let (cfg_attributes, step) = (self.items.cfg_attributes(), self.step_name());
        let (dims, spanned_dims, dim_args) = (&types.dims, self.items.spanned_dims(), &types.dim_args);
        let fields = self.other_values();
        let functions = cx.cell.functions.iter().map(|function| self.function(function));
        let functions = (!cx.cell.functions.is_empty()).then(|| {
            quote! {
                impl<#dims #scalar: #k::Function> #step<#dim_args #scalar> {
                    #(#functions)*
                }
            }
        });
        let (cell, state, input, output) = (&types.cell, &types.state, &types.input, &types.output);
        let context = types.context.iter();
        let Found { names, dimensions } = self.in_items();
        quote! {
            #cfg_attributes
            #[allow(unexpected_cfgs, non_upper_case_globals, clippy::restriction)]
            impl<#spanned_dims #scalar> #cell {
                #[cfg(rust_analyzer)]
                #[allow(dead_code, unused_imports, non_snake_case)]
                #[allow(mixed_script_confusables, confusable_idents, uncommon_codepoints)]
                fn __mentions<const #batch: usize>(
                    __cell: &Self, __state: &#state, #(__context: &#context,)* __input: &#input, __output: &#output,
                ) where #scalar: #k::Function {
                    struct #step<#dims #scalar> {
                        #(#fields,)*
                        __scalar: ::core::marker::PhantomData<#scalar>,
                    }
                    #functions
                    _ = |__values: &#step<#dim_args #scalar>| {
                        #(#dimensions)*
                        #(#names)*
                    };
                }
            }
        }
    }

    /// Returns the name of the struct whose fields are the values that no other type has.
    fn step_name(&self) -> Ident {
        format_ident!("{}Step", self.items.cx.cell.name)
    }

    /// Returns a user's function. Calls to it are inlined in the generated code, so its body here
    /// only mentions names.
    fn function(&self, function: &Function) -> TokenStream {
        let scalar = &self.items.cx.scalar;
        let (name, arguments) = (&function.name, &function.arguments);
        let doc = format!("`{}`", definition::function(function));
        let mut found = Found::default();
        self.in_expression(&function.body, &mut found);
        let names = found.names;
        quote! {
            #[doc = #doc]
            pub(crate) fn #name(#(#arguments: #scalar),*) -> #scalar {
                #(#names)*
                loop {}
            }
        }
    }

    /// Returns the fields of the struct that [`step_name`](Self::step_name) names: a single input,
    /// and the values that are neither states nor fields of the outputs.
    fn other_values(&self) -> Vec<TokenStream> {
        let cx = self.items.cx;
        let mut fields = vec![];
        if let [only] = self.items.cx.inputs()[..] {
            let name = &self.items.spanned.declarations[only];
            let docs = self.items.declaration_docs(only);
            let kind = match &cx.shapes.one_hot[only] {
                Some(_) => quote!(u32),
                None => self.sample(cx.shapes.declarations[only].as_ref()),
            };
            fields.push(quote!(#docs #name: #kind));
        }
        for (equation, names) in self.items.spanned.targets.iter().enumerate() {
            for (index, name) in names.iter().enumerate() {
                let target = Target { equation, index };
                if self.items.resolved.state_of(target).is_none() && !self.items.is_field_of_outputs(target) {
                    let (docs, kind) =
                        (self.items.equation_docs(target), self.sample(self.items.shape_of(target)));
                    fields.push(quote!(#docs #name: #kind));
                }
            }
        }
        fields
    }

    /// Returns the type of one sample's value.
    fn sample(&self, shape: Option<&Shape>) -> TokenStream {
        match shape {
            Some(shape) if shape.is_scalar() => self.items.cx.scalar.to_token_stream(),
            Some(shape) if shape.rows.atoms().len() * shape.columns.atoms().len() > MOST_BLOCKS => quote!(()),
            Some(shape) => self.items.cx.shape_type(shape, Level::Param),
            None => quote!(()),
        }
    }

    /// Collects the mentions in declarations, equations and outputs.
    fn in_items(&self) -> Found {
        let mut found = Found::default();
        let cell = &self.items.cx.cell;
        for declaration in cell.declarations.iter().filter(|declaration| declaration.is_first) {
            self.in_shape(&declaration.shape, &mut found);
            let is_saved = declaration.kind.is_saved();
            if let Some(initial) = &declaration.initial {
                if is_saved {
                    self.initialiser(initial, &mut found);
                }
                self.in_expression(initial, &mut found);
            }
        }
        for (index, (equation, names)) in cell.equations.iter().zip(&self.items.spanned.targets).enumerate() {
            let states = names.iter().enumerate().filter(|(target, _)| {
                self.items.resolved.state_of(Target { equation: index, index: *target }).is_some()
            });
            found.names.extend(states.map(|(_, name)| quote!(_ = &__state.#name;)));
            if let Some(shape) = &equation.shape {
                self.in_shape(shape, &mut found);
            }
            self.in_expression(&equation.value, &mut found);
        }
        self.in_terms(cell.heads.iter().filter_map(|block| block.number.as_ref()), &mut found);
        for (name, target) in self.items.spanned.outputs.iter().zip(&self.items.resolved.outputs) {
            found.names.extend(target.map(|target| self.target(target, name)));
        }
        for function in &cell.functions {
            let mut inside = Found::default();
            self.in_expression(&function.body, &mut inside);
            found.dimensions.append(&mut inside.dimensions);
        }
        found
    }

    fn in_shape(&self, shape: &ShapeSyntax, found: &mut Found) {
        let dims = match &shape.kind {
            ShapeKind::Dense(dims) => dims.as_slice(),
            ShapeKind::OneHot(dim) => std::slice::from_ref(dim),
            ShapeKind::Unknown => &[],
        };
        self.in_terms(dims.iter().flat_map(|dim| &dim.terms), found);
    }

    fn in_terms<'t>(&self, terms: impl Iterator<Item = &'t DimTerm>, found: &mut Found) {
        let names = terms.flat_map(|term| [&term.name, &term.size]).flatten();
        names.for_each(|name| self.dimension(name, found));
    }

    /// Collects the mention of a dimension, unless its const generic has another name. A name that
    /// is not a dimension has been reported.
    fn dimension(&self, name: &Ident, found: &mut Found) {
        if self.items.cx.dimensions.iter().any(|dim| key(dim) == key(name)) {
            found.dimensions.push(quote!(_ = #name;));
        }
    }

    /// Collects the mention of an initialiser such as `xavier_uniform` or `uniform(-0.1, 0.1)`.
    fn initialiser(&self, initial: &Expr, found: &mut Found) {
        let (ExprKind::Name { name, .. } | ExprKind::Call { function: name, .. }) = &initial.kind else {
            return;
        };
        let text = key(name);
        if is_initialiser(&text) {
            let k = &self.items.cx.k;
            let function = match text.as_str() {
                "zeros" | "ones" => Ident::new("constant", name.span()),
                _ => name.clone(),
            };
            found.names.push(quote!(use #k::init::#function as _;));
        }
    }

    fn in_expression(&self, expr: &Expr, found: &mut Found) {
        match &expr.kind {
            ExprKind::Name { name, time } => {
                match self.items.resolved.symbols.get(expr.id) {
                    Some(Some(Symbol::Dimension(_))) => self.dimension(name, found),
                    Some(Some(symbol)) => found.names.push(self.symbol(*symbol, name)),
                    _ => {}
                }
                if let Time::Delay { dimension, .. } = time {
                    self.dimension(dimension, found);
                }
            }
            ExprKind::Call { function, .. } => {
                let (k, scalar) = (&self.items.cx.k, &self.items.cx.scalar);
                match self.items.resolved.callees.get(expr.id) {
                    Some(Some(Callee::User(_))) => {
                        let (step, dim_args) = (self.step_name(), &self.items.types.dim_args);
                        found.names.push(quote!(_ = <#step<#dim_args #scalar>>::#function;));
                    }
                    Some(Some(Callee::BuiltIn(operation))) => {
                        // `σ` is an alias of `sigmoid`, and `where` is a keyword in Rust.
                        let name = match operation.name {
                            "where" => Ident::new_raw("where", function.span()),
                            name => Ident::new(name, function.span()),
                        };
                        found.names.push(quote!(_ = <#scalar as #k::Function>::#name;));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        expr.children().into_iter().for_each(|child| self.in_expression(child, found));
    }

    /// Returns a statement that uses the value behind a name.
    fn symbol(&self, symbol: Symbol, name: &Ident) -> TokenStream {
        match symbol {
            Symbol::Declaration(index)
            | Symbol::Previous(index)
            | Symbol::Delayed(Delayed::Declaration(index)) => {
                let owner = match self.items.cx.cell.declarations[index].kind {
                    DeclarationKind::Param | DeclarationKind::Buffer => quote!(__cell),
                    DeclarationKind::State => quote!(__state),
                    DeclarationKind::Context => quote!(__context),
                    DeclarationKind::Input if self.items.cx.inputs().len() > 1 => quote!(__input),
                    DeclarationKind::Input => quote!(__values),
                };
                quote!(_ = &#owner.#name;)
            }
            Symbol::Target(target) | Symbol::Delayed(Delayed::Target(target)) => self.target(target, name),
            Symbol::Dimension(_) | Symbol::Argument(_) => quote!(_ = #name;),
        }
    }

    /// Returns a statement that uses a target of an equation. A state refers to its declaration at
    /// any time.
    fn target(&self, target: Target, name: &Ident) -> TokenStream {
        if self.items.resolved.state_of(target).is_some() {
            quote!(_ = &__state.#name;)
        } else if self.items.is_field_of_outputs(target) {
            quote!(_ = &__output.#name;)
        } else {
            quote!(_ = &__values.#name;)
        }
    }
}
