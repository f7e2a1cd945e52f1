//! The body of a pass: its values as local slices, and the statements that compute them.
//!
//! A statement reads and writes local slices named after the values. The [`Frame`] that binds them
//! determines what they point to: a series of the tape, a matrix on the stack, or a field of the
//! cell.

use crate::dim::Atom;
use crate::emit::access::Access;
use crate::emit::context::{EmitContext, number};
use crate::emit::ops::elementwise;
use crate::emit::stored::{StoredAs, StoredValues};
use crate::graph::ir::{BlockShape, Graph, Id, Level, Node, Op};
use crate::graph::text::Writer;
use crate::lower::names::ValueNames;
use crate::plan::schedule::Region;
use crate::plan::{Bound, Pass, Place};
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::quote;

/// A binding of values to local slices for one region.
pub trait Frame {
    /// Returns statements that bind the slices of `reads` and `writes` (mutable) to their
    /// variables.
    fn bind(&self, region: Region, reads: &[Id], writes: &[Id]) -> TokenStream;

    /// Returns the statement of a window of earlier values or of its mask.
    fn window_statement(&self, _body: &Body, _region: Region, _id: Id) -> TokenStream {
        TokenStream::new()
    }

    /// Returns statements to run after the values of a region are written.
    fn after_writes(&self, _region: Region, _writes: &[Id]) -> TokenStream {
        TokenStream::new()
    }
}

pub struct Body<'a> {
    pub cx: &'a EmitContext<'a>,
    pub graph: &'a Graph,
    pub names: &'a ValueNames,
    pub pass: &'a Pass,
    /// The stored values of a quantised copy.
    pub quantised: Option<&'a StoredValues>,
}

impl Body<'_> {
    /// Returns whether a matrix is stored in fewer bits.
    pub fn is_narrow(&self, id: Id) -> bool {
        let kind = self.quantised.and_then(|stored| stored.kind(self.graph.storage(id)));
        kind.is_some_and(|kind| kind != StoredAs::Plain)
    }

    pub fn var(&self, id: Id) -> Ident {
        let id = self.graph.storage(id);
        self.names.variable(*self.pass.in_place.get(&id).unwrap_or(&id))
    }

    /// Returns whether the columns of a window are read from their ring.
    pub fn is_in_ring(&self, id: Id) -> bool {
        self.pass.places.get(&id) == Some(&Place::Ring)
    }

    /// Returns the number of columns that a region's loops run over.
    pub fn columns(&self, region: Region) -> TokenStream {
        let batch = &self.cx.batch;
        match region {
            Region::Param | Region::ParamEnd => quote!(1),
            Region::Context | Region::ContextEnd | Region::Step => quote!(#batch),
            Region::Before | Region::After | Region::Inputs => quote!(__columns),
        }
    }

    /// Returns the index of a value's own column within a loop over `j`, and within the loop over
    /// the heads if it has heads.
    pub fn column_index(&self, region: Region, level: Level, heads: Atom) -> Option<TokenStream> {
        let batch = &self.cx.batch;
        let column = match level {
            Level::Param => None,
            Level::Context if matches!(region, Region::Before | Region::After | Region::Inputs) => {
                Some(quote!((__j % #batch)))
            }
            _ => Some(quote!(__j)),
        };
        if heads == Atom::ONE {
            return column;
        }
        let heads = self.cx.atom(heads);
        Some(column.map_or(quote!(__head), |column| quote!((#column * #heads + __head))))
    }

    /// Returns the number of scalars of one head's matrix.
    pub fn count(&self, shape: BlockShape) -> TokenStream {
        let (rows, columns) = (self.cx.atom(shape.rows), self.cx.atom(shape.columns));
        if shape.columns == Atom::ONE { quote!(#rows) } else { quote!((#rows * #columns)) }
    }

    /// Returns the slice of a whole value at the column of the loop, and at the head.
    pub fn whole(&self, region: Region, id: Id, access: Access) -> TokenStream {
        let (k, var) = (&self.cx.k, self.var(id));
        let node = &self.graph[id];
        let size = self.count(node.shape);
        match (self.column_index(region, node.level, node.shape.heads), access) {
            (None, Access::Read) => quote!(&*#var),
            (None, Access::Write) => quote!(&mut *#var),
            (Some(index), Access::Read) => quote!(#k::column(&*#var, #size, #index)),
            (Some(index), Access::Write) => quote!(#k::column_mut(&mut *#var, #size, #index)),
        }
    }

    /// Adds a value to a block of the gradients.
    pub fn add_to_gradient(&self, frame: &dyn Frame, bound: &Bound) -> TokenStream {
        let (k, id) = (&self.cx.k, self.graph.storage(bound.id));
        let bindings = frame.bind(Region::ParamEnd, &[id], &[]);
        let to = self.cx.saved(quote!(__grads), bound.piece, Access::Write);
        let variable = self.names.variable(id);
        quote!({ #bindings #k::add_into(#to, #variable); })
    }

    /// Adds a value to a block of the cotangent of a context.
    pub fn add_to_context_bar(&self, frame: &dyn Frame, bound: &Bound) -> TokenStream {
        let (k, id) = (&self.cx.k, self.graph.storage(bound.id));
        let bindings = frame.bind(Region::ContextEnd, &[id], &[]);
        let (variable, path) = (self.names.variable(id), self.cx.declared_path(bound.piece));
        quote!({ #bindings #k::add_into(#k::Flat::flat_mut(&mut __dcontext.#path), #variable); })
    }

    /// Returns the comment above a group, which shows the equations that it computes.
    pub fn comment(&self, nodes: &[Id]) -> TokenStream {
        let name = |id: Id| {
            let id = self.graph.storage(id);
            let node = &self.graph[id];
            let is_named = node.op.is_leaf() && !self.graph.is_constant(id) || node.name.is_some();
            (is_named || self.pass.places.contains_key(&id)).then(|| self.names.text(id).to_owned())
        };
        let writer = Writer::new(self.graph, &self.cx.dim_names, &name);
        let lines: Vec<String> = nodes
            .iter()
            .filter(|id| name(**id).is_some())
            .map(|id| format!(" {} = {}", self.names.text(*id), writer.definition(*id)))
            .collect();
        // Only doc comments survive quoting. They are allowed on the block of an expression, as
        // attributes of a statement.
        quote!(#(#[doc = #lines])*)
    }

    /// Writes a constant as an inline expression, which rustc folds.
    pub fn constant(&self, id: Id) -> TokenStream {
        let (k, scalar) = (&self.cx.k, &self.cx.scalar);
        let node = &self.graph[id];
        match &node.op {
            Op::Number(bits) => {
                let value = number(f64::from_bits(*bits));
                quote!(<#scalar as #k::Scalar>::of(#value))
            }
            Op::Size(dim) => {
                let size = self.cx.dim(dim);
                quote!(<#scalar as #k::Scalar>::of(#size as f64))
            }
            Op::Unary(op) => elementwise::unary(k, *op, self.constant(node.args[0])),
            Op::Binary(op) => {
                elementwise::binary(k, *op, self.constant(node.args[0]), self.constant(node.args[1]))
            }
            Op::Select(of) => elementwise::select(k, of, node.args.iter().map(|arg| self.constant(*arg))),
            _ => node.args.first().map_or(TokenStream::new(), |arg| self.constant(*arg)),
        }
    }
}

/// Returns statements below a comment. They become a block unless they are one call or one loop:
/// Rust has no attributes, and so no comments, on the parts of an assignment.
pub fn commented(comment: &TokenStream, statements: TokenStream) -> TokenStream {
    let is =
        |token: &TokenTree, sign: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign);
    let is_word = |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(ident) if ident == word);
    let is_block =
        |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let tokens: Vec<TokenTree> = statements.clone().into_iter().collect();
    let Some((last, rest)) = tokens.split_last() else { return quote!(#comment { }) };
    let is_part = |token: &TokenTree| is(token, ';') || is(token, '=') || is_block(token);
    let is_call = is(last, ';') && !rest.iter().any(is_part);
    let is_loop = rest.first().is_some_and(|first| is_word(first, "for"))
        && is_block(last)
        && !rest.iter().any(is_part);
    if is_call || is_loop { quote!(#comment #statements) } else { quote!(#comment { #statements }) }
}

/// The context in which the families of operations write the statement of a node.
pub struct Statement<'b> {
    pub body: &'b Body<'b>,
    pub region: Region,
    pub id: Id,
}

impl<'b> Statement<'b> {
    pub fn node(&self) -> &'b Node {
        &self.body.graph[self.id]
    }

    pub fn arg(&self, index: usize) -> &'b Node {
        &self.body.graph[self.node().args[index]]
    }

    /// Returns the argument's slice at the column of the loop.
    pub fn read(&self, index: usize) -> TokenStream {
        self.body.whole(self.region, self.node().args[index], Access::Read)
    }

    /// Returns the node's own slice at the column of the loop.
    pub fn out(&self) -> TokenStream {
        self.body.whole(self.region, self.id, Access::Write)
    }

    /// Returns the node's own entry, for a scalar.
    pub fn entry(&self) -> TokenStream {
        let node = self.node();
        let (var, index) =
            (self.body.var(self.id), self.body.column_index(self.region, node.level, node.shape.heads));
        let index = index.unwrap_or(quote!(0));
        quote!(#var[#index])
    }

    pub fn comment(&self) -> TokenStream {
        self.body.comment(&[self.id])
    }

    /// Returns statements that run the statement for every column of the region and every head.
    pub fn for_each(&self, statement: TokenStream) -> TokenStream {
        self.for_each_of(self.node(), statement)
    }

    /// Returns such statements for another node, whose statement is part of this one: the product
    /// that this node adds up.
    pub fn for_each_of(&self, node: &Node, statement: TokenStream) -> TokenStream {
        let (comment, columns) = (self.comment(), self.body.columns(self.region));
        let args = node.args.iter().map(|arg| self.body.graph[*arg].shape.heads);
        let statement = match [node.shape.heads].into_iter().chain(args).find(|heads| *heads != Atom::ONE) {
            Some(heads) => {
                let heads = self.body.cx.atom(heads);
                quote!(for __head in 0..#heads { #statement })
            }
            None => statement,
        };
        match self.region.level() {
            Level::Param => commented(&comment, statement),
            _ => quote!(#comment for __j in 0..#columns { #statement }),
        }
    }
}
