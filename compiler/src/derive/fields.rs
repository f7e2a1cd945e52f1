//! The struct below `#[derive(Model)]`: its fields and attributes, and the mistakes in them.

use crate::diagnostics::{Diagnostics, Extent};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Generics, Index, Member, Path, Type, Visibility};

/// A struct that becomes a model.
pub struct Container {
    pub name: Ident,
    /// The name of the struct of its gradients.
    pub gradients: Ident,
    pub visibility: Visibility,
    pub generics: Generics,
    /// The type parameter of the implementations that stands for the scalar of all fields.
    ///
    /// A bound determines it: `Lstm<2, 8>: Model<Scalar = __S>`. The type of a field cannot be
    /// named instead (`type Scalar = <Lstm<2, 8> as Model>::Scalar`), because it may be private.
    pub scalar: Ident,
    /// The path of `::rnn_cell`, under its name in the user's crate.
    pub root: TokenStream,
    /// A flag: the struct has braces.
    pub is_named: bool,
    pub fields: Vec<Field>,
}

/// A field of the struct.
pub struct Field {
    pub member: Member,
    /// The name in the paths of parameters.
    pub label: String,
    pub visibility: Visibility,
    pub kind: Type,
    /// A flag: the field has no parameters.
    pub is_skipped: bool,
}

/// Reads the item. Returns `None` if it cannot be a model, which is reported.
pub fn read(input: TokenStream, diagnostics: &mut Diagnostics) -> Option<Container> {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => {
            diagnostics.error(error.span(), error.to_string());
            return None;
        }
    };
    let data = match input.data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            diagnostics
                .error(data.enum_token.span, "an enum can't be a model")
                .note("a model always has the same parameters: optimisers and files rely on it")
                .help("derive `Model` for a struct, or for the struct in each variant");
            return None;
        }
        Data::Union(data) => {
            diagnostics
                .error(data.union_token.span, "a union can't be a model")
                .help("derive `Model` for a struct");
            return None;
        }
    };
    let mut root = quote!(::rnn_cell);
    for attribute in model_attributes(&input.attrs) {
        read_attribute(attribute, diagnostics, "crate = path", |meta| {
            if !meta.path.is_ident("crate") {
                return Ok(false);
            }
            root = meta.value()?.call(Path::parse_mod_style)?.into_token_stream();
            Ok(true)
        });
    }
    let mut fields = vec![];
    for (index, field) in data.fields.iter().enumerate() {
        let member = field.ident.clone().map_or_else(|| Index::from(index).into(), Member::Named);
        let label = field.ident.as_ref().map_or_else(|| index.to_string(), |name| name.unraw().to_string());
        let mut is_skipped = false;
        for attribute in model_attributes(&field.attrs) {
            is_skipped = true;
            read_attribute(attribute, diagnostics, "skip", |meta| Ok(meta.path.is_ident("skip")));
        }
        if !is_skipped && borrows(&field.ty) {
            is_skipped = true;
            report_borrow(&field.ty, diagnostics);
        }
        let (visibility, kind) = (field.vis.clone(), field.ty.clone());
        fields.push(Field { member, label, visibility, kind, is_skipped });
    }
    if diagnostics.is_empty() && fields.iter().all(|field| field.is_skipped) {
        diagnostics
            .error(&input.ident, format!("`{}` has no field with parameters", input.ident))
            .help("derive `Model` for a struct of cells, networks or other models");
    }
    Some(Container {
        gradients: format_ident!("{}Gradients", input.ident, span = input.ident.span()),
        name: input.ident,
        visibility: input.vis,
        generics: input.generics,
        scalar: format_ident!("__S"),
        root,
        is_named: matches!(data.fields, syn::Fields::Named(_)),
        fields,
    })
}

fn model_attributes(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("model"))
}

/// Reads `#[model(..)]` with `known`, which returns whether it knows an entry.
fn read_attribute(
    attribute: &Attribute,
    diagnostics: &mut Diagnostics,
    allowed: &str,
    mut known: impl FnMut(&syn::meta::ParseNestedMeta) -> syn::Result<bool>,
) {
    let mut unknown = vec![];
    let result = attribute.parse_nested_meta(|meta| {
        if !known(&meta)? {
            unknown.push(meta.path.clone());
            // The value and the arguments of an unknown entry.
            while !meta.input.is_empty() && !meta.input.peek(syn::Token![,]) {
                meta.input.parse::<TokenTree>()?;
            }
        }
        Ok(())
    });
    for path in unknown {
        let text = path.to_token_stream().to_string().replace(' ', "");
        diagnostics
            .error(extent(&path), format!("unknown attribute `{text}`"))
            .help(format!("the only attribute here is `#[model({allowed})]`"));
    }
    if let Err(error) = result {
        diagnostics.error(error.span(), error.to_string()).help(format!("write `#[model({allowed})]`"));
    }
}

fn report_borrow(kind: &Type, diagnostics: &mut Diagnostics) {
    diagnostics
        .error(extent(kind), "a model owns its parameters, but this field borrows")
        .note("optimisers change the parameters, and loading overwrites them")
        .help("own the layer, and bind its context where the model runs: `self.decoder.with(&context)`")
        .help("write `#[model(skip)]` before a field without parameters");
}

/// Returns whether a type contains a reference or a lifetime.
fn borrows(kind: &Type) -> bool {
    fn any(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Punct(punct) => matches!(punct.as_char(), '&' | '\''),
            TokenTree::Group(group) => any(group.stream()),
            _ => false,
        })
    }
    any(kind.to_token_stream())
}

/// Returns whether a type contains a name.
pub fn mentions(kind: &TokenStream, is_wanted: &dyn Fn(&Ident) -> bool) -> bool {
    kind.clone().into_iter().any(|token| match token {
        TokenTree::Ident(name) => is_wanted(&name),
        TokenTree::Group(group) => mentions(&group.stream(), is_wanted),
        _ => false,
    })
}

/// Returns the extent of a piece of syntax.
fn extent(tokens: &impl ToTokens) -> Extent {
    let mut spans = tokens.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    Extent::new(first, spans.last().unwrap_or(first))
}
