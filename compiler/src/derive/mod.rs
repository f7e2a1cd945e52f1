//! The derive macro of the trait `Model`: a struct of models is a model.
//!
//! The expansion visits the fields one after another and puts their names before those of their
//! parameters. The gradients are a second struct, with the same generic parameters and a field for
//! each field that has gradients.

mod fields;

use crate::diagnostics::Diagnostics;
use fields::{Container, Field, read};
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, WherePredicate, parse_quote};

/// Returns the expansion of `#[derive(Model)]` on the item `input`: one `compile_error!` per
/// mistake, and the implementations. A field with a mistake is left out, so that the mistake does
/// not show where the model is used.
pub fn derive(input: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let container = read(input, &mut diagnostics);
    let mut expansion = diagnostics.to_tokens();
    if let Some(container) = container.filter(|container| container.models().next().is_some()) {
        expansion.extend(expand(&container));
    }
    expansion
}

fn expand(container: &Container) -> TokenStream {
    let root = &container.root;
    let (gradients, model, check) = (gradients_struct(container), model(container), scalar_check(container));
    quote! {
        #gradients
        #[allow(trivial_bounds, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
        const _: () = {
            use #root::generated as __k;
            #model
            #check
        };
    }
}

/// Returns the generic parameters with one bound `field: bound` per field with parameters.
fn bounded(container: &Container, bound: &TokenStream) -> Generics {
    let mut generics = container.generics.clone();
    let predicates = container.models().map(|field| -> WherePredicate {
        let kind = &field.kind;
        let bound = located_at(quote!(: #bound), kind.span());
        parse_quote!(#kind #bound)
    });
    generics.make_where_clause().predicates.extend(predicates);
    generics
}

/// Moves tokens to a place of the user's source, where rustc reports mistakes in them.
fn located_at(tokens: TokenStream, place: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), located_at(group.stream(), place)).into();
        }
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}

fn gradients_struct(container: &Container) -> TokenStream {
    let Container { name, visibility, gradients, root, .. } = container;
    let k = quote!(#root::generated);
    let generics = bounded(container, &quote!(#k::Model));
    let (parameters, bounds) = (&generics, &generics.where_clause);
    let fields = container.fields.iter().filter_map(|field| {
        let Field { kind, visibility, .. } = field;
        let head = container.is_named.then(|| {
            let (name, doc) = (&field.member, format!("The gradients of `{}`.", field.label));
            quote!(#[doc = #doc] #visibility #name:)
        });
        let head = head.unwrap_or_else(|| visibility.to_token_stream());
        if field.is_skipped {
            // The other fields of a tuple keep their numbers.
            (!container.is_named).then(|| quote!(#head ()))
        } else {
            Some(quote_spanned!(kind.span()=> #head #k::Held<<#kind as #k::Model>::Gradients>))
        }
    });
    let marker = container
        .unused_parameters()
        .map(|marker| if container.is_named { quote!(__parameters: #marker) } else { marker });
    let doc = format!(
        "The gradients of [`{name}`]: one field per field with parameters, of the same name. They have the same \
         parameters in the same order."
    );
    let head = quote! {
        #[doc = #doc]
        #[allow(dead_code, non_snake_case, private_bounds, private_interfaces, trivial_bounds, clippy::type_complexity)]
        #visibility struct #gradients #parameters
    };
    let fields = fields.chain(marker);
    if container.is_named {
        quote!(#head #bounds { #(#fields,)* })
    } else {
        quote!(#head (#(#fields,)*) #bounds;)
    }
}

/// Returns the implementations of the traits for the model and its gradients.
fn model(container: &Container) -> TokenStream {
    let Container { name, gradients, scalar, .. } = container;
    let (_, arguments, _) = container.generics.split_for_impl();
    // rustc knows that the gradients have the same scalar, but it may have replaced their type by
    // that of the implementation, about which it knows nothing.
    let implementation = |bound: TokenStream| {
        let gradients = quote!(Gradients: __k::ModelMut<Scalar = #scalar>);
        let mut generics = bounded(container, &quote!(#bound<Scalar = #scalar, #gradients>));
        generics.params.push(parse_quote!(#scalar: __k::Scalar));
        let (parameters, _, bounds) = generics.split_for_impl();
        (quote!(impl #parameters), quote!(#bounds))
    };
    let (head, bounds) = implementation(quote!(__k::Model));
    let (head_mut, bounds_mut) = implementation(quote!(__k::ModelMut));
    let (visits, visits_mut) = (visits(container), visits_mut(container));
    let zeros = zero_gradients(container);
    quote! {
        #head __k::Model for #name #arguments #bounds {
            type Scalar = #scalar;
            type Gradients = #gradients #arguments;
            #zeros
            #visits
        }

        #head_mut __k::ModelMut for #name #arguments #bounds_mut {
            #visits_mut
        }

        #head __k::Model for #gradients #arguments #bounds {
            type Scalar = #scalar;
            type Gradients = Self;
            #zeros
            #visits
        }

        #head __k::ModelMut for #gradients #arguments #bounds {
            #visits_mut
        }

        #head ::core::fmt::Debug for #gradients #arguments #bounds {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                __k::debug(self, __f)
            }
        }
    }
}

fn zero_gradients(container: &Container) -> TokenStream {
    let Container { gradients, .. } = container;
    let fields = container.fields.iter().filter_map(|Field { member, is_skipped, .. }| {
        if *is_skipped {
            (!container.is_named).then(|| quote!(#member: ()))
        } else {
            Some(quote!(#member: __k::Model::zero_gradients(&self.#member)))
        }
    });
    let marker = container.unused_parameters().map(|_| {
        let member = if container.is_named {
            quote!(__parameters)
        } else {
            proc_macro2::Literal::usize_unsuffixed(container.fields.len()).into_token_stream()
        };
        quote!(#member: ::core::marker::PhantomData)
    });
    let fields = fields.chain(marker);
    quote! {
        __k::if_alloc! {
            fn zero_gradients(&self) -> __k::Box<Self::Gradients> {
                __k::Box::new(#gradients { #(#fields,)* })
            }
        }
    }
}

fn visits(container: &Container) -> TokenStream {
    let scalar = &container.scalar;
    let of = |function: Ident| {
        let fields = container.models();
        let calls = fields.map(
            |Field { member, label, .. }| quote!(__k::derived::#function(&self.#member, #label, visitor);),
        );
        quote!(#(#calls)*)
    };
    let [parameters, buffers, layers] =
        ["visit", "visit_buffers", "visit_layers"].map(|f| of(format_ident!("{f}")));
    quote! {
        fn visit<'__v>(&'__v self, visitor: &mut dyn for<'__n> ::core::ops::FnMut(__k::Parameter<'__n, '__v, #scalar>)) {
            #parameters
        }

        fn visit_buffers<'__v>(
            &'__v self,
            visitor: &mut dyn for<'__n> ::core::ops::FnMut(__k::Parameter<'__n, '__v, #scalar>),
        ) {
            #buffers
        }

        fn visit_layers(&self, visitor: &mut dyn ::core::ops::FnMut(__k::LayerInfo<'_>)) {
            #layers
        }
    }
}

fn visits_mut(container: &Container) -> TokenStream {
    let scalar = &container.scalar;
    let of = |function: Ident| {
        let fields = container.models();
        let calls = fields.map(|Field { member, label, .. }| {
            quote!(__k::derived::#function(&mut self.#member, #label, visitor);)
        });
        quote!(#(#calls)*)
    };
    let [parameters, buffers] = ["visit_mut", "visit_buffers_mut"].map(|f| of(format_ident!("{f}")));
    let members = container.models().map(|field| &field.member);
    quote! {
        fn visit_mut<'__v>(
            &'__v mut self,
            visitor: &mut dyn for<'__n> ::core::ops::FnMut(__k::ParameterMut<'__n, '__v, #scalar>),
        ) {
            #parameters
        }

        fn visit_buffers_mut<'__v>(
            &'__v mut self,
            visitor: &mut dyn for<'__n> ::core::ops::FnMut(__k::ParameterMut<'__n, '__v, #scalar>),
        ) {
            #buffers
        }

        fn set_zero(&mut self) {
            #(__k::ModelMut::set_zero(&mut self.#members);)*
        }
    }
}

/// Returns a function that compiles if the fields without type parameters have one scalar. The
/// bounds of the implementations would only say so where the model is used.
fn scalar_check(container: &Container) -> TokenStream {
    let mut plain = container.models().filter(|field| !container.mentions_type_parameter(&field.kind));
    let Some(first) = plain.next().map(|field| &field.kind) else { return TokenStream::new() };
    let checks = plain.map(|Field { kind, .. }| {
        let scalar = quote_spanned!(kind.span()=> <#kind as __k::Model>::Scalar);
        quote!(__k::derived::check_scalar::<#scalar, <#first as __k::Model>::Scalar>();)
    });
    let (parameters, _, bounds) = container.generics.split_for_impl();
    quote! {
        #[allow(dead_code, unused_lifetimes, clippy::extra_unused_lifetimes, clippy::extra_unused_type_parameters)]
        fn check #parameters() #bounds {
            #(#checks)*
        }
    }
}

impl Container {
    /// Returns the type of a marker field for the generic parameters that the gradients do not use
    /// otherwise. rustc requires that every parameter is used.
    fn unused_parameters(&self) -> Option<TokenStream> {
        let used: Vec<TokenStream> = self.models().map(|field| field.kind.to_token_stream()).collect();
        let is_used = |name: &Ident| used.iter().any(|kind| fields::mentions(kind, &|word| word == name));
        let unused: Vec<TokenStream> = (self.generics.params.iter())
            .filter_map(|parameter| match parameter {
                GenericParam::Lifetime(lifetime) => {
                    let lifetime = &lifetime.lifetime;
                    Some(quote!(&#lifetime ()))
                }
                GenericParam::Type(kind) if !is_used(&kind.ident) => {
                    let name = &kind.ident;
                    Some(quote!(*const #name))
                }
                _ => None,
            })
            .collect();
        (!unused.is_empty()).then(|| quote!(::core::marker::PhantomData<fn() -> (#(#unused,)*)>))
    }

    /// Returns whether a type depends on a type parameter of the struct.
    fn mentions_type_parameter(&self, kind: &syn::Type) -> bool {
        let parameters: Vec<&Ident> = self.generics.type_params().map(|parameter| &parameter.ident).collect();
        fields::mentions(&kind.to_token_stream(), &|word| parameters.contains(&word))
    }

    /// Returns the fields that are models.
    fn models(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.is_skipped)
    }
}
