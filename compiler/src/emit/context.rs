//! The context of emission: the cell, its plan, the names of its values and the types of its
//! blocks.

use crate::analysis::heads::heads;
use crate::analysis::past::{self, Past, RingField};
use crate::analysis::shapes::{Shaped, Shapes};
use crate::dim::polynomial::Polynomial;
use crate::dim::{Atom, Dim, Shape};
use crate::emit::access::Access;
use crate::emit::hygiene::ident;
use crate::graph::grid::block_path;
use crate::graph::ir::{BlockShape, Level, Piece};
use crate::syntax::ast::{Cell, DeclarationKind, declared};
use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// The runtime crate as described by `rnn_cell!`. The runtime's features decide whether there is a
/// heap. A feature of this crate would describe the machine that compiles instead.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// The path of `::rnn_cell`, under its name in the user's crate.
    pub root: TokenStream,
    /// A flag: the runtime has a heap. Without one there is no tape and no pass over a sequence: a
    /// cell is its parameters, its states and its step.
    pub has_heap: bool,
    /// A flag: cells have quantised copies, whose matrices are stored in fewer bits.
    pub is_quantised: bool,
}

impl Runtime {
    /// Parses `$crate` and the words after it: `no_alloc`, `quantised`.
    pub fn new(head: TokenStream) -> Self {
        const WORDS: [&str; 2] = ["no_alloc", "quantised"];
        let is = |token: &TokenTree, text: &str| matches!(token, TokenTree::Ident(word) if word == text);
        let [no_alloc, is_quantised] =
            WORDS.map(|word| head.clone().into_iter().any(|token| is(&token, word)));
        let root = head.into_iter().filter(|token| !WORDS.iter().any(|word| is(token, word))).collect();
        Runtime { root, has_heap: !no_alloc, is_quantised }
    }
}

/// The names used for a cell: its dimensions, the generic parameters of generated items, and paths.
#[derive(Clone)]
pub struct EmitContext<'a> {
    pub cell: &'a Cell,
    pub shapes: &'a Shapes,
    /// The earlier values that the cell reads.
    pub past: &'a Past,
    /// The fields of the state that hold the rings of these values.
    pub ring_fields: Vec<RingField>,
    /// The field of the state that counts steps.
    pub steps_field: String,
    /// The path of `::rnn_cell`, under its name in the user's crate.
    pub root: TokenStream,
    has_heap: bool,
    is_quantised: bool,
    /// The path of the kernels and of everything else that generated code uses.
    pub k: TokenStream,
    /// The generic parameter of the scalar: `T` unless a dimension has that name.
    pub scalar: Ident,
    /// The generic parameter of the batch: `B` unless a dimension has that name.
    pub batch: Ident,
    /// The generic parameter of the format of stored matrices: `Q` unless a dimension has that
    /// name.
    pub format: Ident,
    /// The const generics of the dimensions.
    pub dimensions: Vec<Ident>,
    /// The names of the dimensions, for texts.
    pub dim_names: Vec<String>,
}

impl<'a> EmitContext<'a> {
    pub fn new(cell: &'a Cell, shapes: &'a Shapes, past: &'a Past, runtime: &Runtime) -> Self {
        let dim_names: Vec<String> = cell.dimensions.iter().map(Ident::to_string).collect();
        let free = |wanted: &str| {
            let mut name = wanted.to_owned();
            while dim_names.contains(&name) || cell.name == name {
                name.push('_');
            }
            ident(&name)
        };
        let (scalar, batch, format) = (free("T"), free("B"), free("Q"));
        let generic = |(index, dimension): (usize, &Ident)| {
            let text = dimension.to_string();
            // Values of generated code have such names.
            let is_taken = text.starts_with("__") || text.starts_with(char::is_lowercase);
            if is_taken { free(&format!("D{index}_{}", text.to_uppercase())) } else { dimension.clone() }
        };
        let dimensions = cell.dimensions.iter().enumerate().map(generic).collect();
        let Runtime { root, has_heap, is_quantised } = runtime.clone();
        let k = quote!(#root::generated);
        let (ring_fields, steps_field) = past::fields(cell, past);
        EmitContext {
            cell,
            shapes,
            past,
            ring_fields,
            steps_field,
            root,
            has_heap,
            is_quantised,
            k,
            scalar,
            batch,
            format,
            dimensions,
            dim_names,
        }
    }

    /// Returns the context within the block of private items, where the boundary to the runtime has
    /// a short name.
    pub fn within_block(&self) -> Self {
        EmitContext { k: quote!(__k), ..self.clone() }
    }

    /// Returns the statement that introduces the short name of the boundary.
    pub fn boundary(&self) -> TokenStream {
        let root = &self.root;
        quote!(use #root::generated as __k;)
    }

    /// Returns the cell and its shapes.
    pub fn shaped(&self) -> Shaped<'a> {
        Shaped { cell: self.cell, shapes: self.shapes }
    }

    /// Returns items that need a heap, or nothing if there is none. This decision is made nowhere
    /// else.
    pub fn on_heap(&self, items: impl FnOnce() -> TokenStream) -> TokenStream {
        if self.has_heap { items() } else { TokenStream::new() }
    }

    /// Returns whether cells have quantised copies.
    pub fn is_quantised(&self) -> bool {
        self.is_quantised
    }

    /// Returns items for quantised copies, or nothing if there are none.
    pub fn if_quantised(&self, items: impl FnOnce() -> TokenStream) -> TokenStream {
        if self.is_quantised { items() } else { TokenStream::new() }
    }

    /// Writes a dimension as a const generic argument. A product of dimensions is a `usize`
    /// expression instead, since a generic argument can't be one.
    pub fn atom(&self, atom: Atom) -> TokenStream {
        match atom {
            Atom::Name(index) => {
                let name = &self.dimensions[index];
                quote!(#name)
            }
            Atom::Literal(value) => {
                let value = Literal::usize_unsuffixed(value as usize);
                quote!(#value)
            }
            Atom::Product(heads, size) => {
                let (heads, size) = (self.atom(heads.into()), self.atom(size.into()));
                quote!((#heads * #size))
            }
        }
    }

    /// Writes a dimension as a `usize` expression.
    pub fn dim(&self, dim: &Dim) -> TokenStream {
        let atoms: Vec<TokenStream> = dim.atoms().iter().map(|atom| self.atom(*atom)).collect();
        quote!((#(#atoms)+*))
    }

    /// Returns a polynomial as an expression of the dimensions.
    pub fn polynomial(&self, of: &Polynomial) -> TokenStream {
        let terms = of.terms().into_iter().map(|(powers, count)| {
            let count = Literal::usize_unsuffixed(count as usize);
            let sizes = powers.iter().zip(&self.dimensions);
            let sizes = sizes.flat_map(|(power, size)| (0..*power).map(move |_| size));
            quote!(#count #(* #sizes)*)
        });
        let terms: Vec<TokenStream> = terms.collect();
        if terms.is_empty() { quote!(0) } else { quote!(#(#terms)+*) }
    }

    pub fn matrix(&self, rows: TokenStream, columns: TokenStream) -> TokenStream {
        let (k, scalar) = (&self.k, &self.scalar);
        quote!(#k::SMatrix<#scalar, { #rows }, { #columns }>)
    }

    /// Returns the type of one block, of a parameter or of a batch.
    pub fn block_type(&self, shape: BlockShape, level: Level) -> TokenStream {
        if let Some((rows, columns)) = self.one_matrix(shape, level) {
            return self.matrix(rows, columns);
        }
        let (rows, columns) = (self.atom(shape.rows), self.atom(shape.columns));
        let (k, batch, heads) = (&self.k, &self.batch, self.atom(shape.heads));
        match level {
            Level::Param => {
                let matrix = self.matrix(rows, columns);
                quote!([#matrix; #heads])
            }
            _ if shape.columns == Atom::ONE => {
                let vectors = self.matrix(rows, quote!(#batch));
                quote!(#k::Heads<#vectors, { #heads }>)
            }
            _ => {
                let matrix = self.block_type(shape, Level::Param);
                quote!([#matrix; #batch])
            }
        }
    }

    /// Returns the type of a series of blocks.
    pub fn series_type(&self, shape: BlockShape, level: Level) -> TokenStream {
        let (k, scalar) = (&self.k, &self.scalar);
        match self.one_matrix(shape, level) {
            Some((rows, columns)) => quote!(#k::MatrixSeries<#scalar, { #rows }, { #columns }>),
            None => {
                let block = self.block_type(shape, level);
                quote!(#k::Series<#block>)
            }
        }
    }

    /// Returns the rows and columns of a block that is one matrix.
    fn one_matrix(&self, shape: BlockShape, level: Level) -> Option<(TokenStream, TokenStream)> {
        let (rows, batch) = (self.atom(shape.rows), &self.batch);
        match level {
            Level::Param => (!shape.has_heads()).then(|| (rows, self.atom(shape.columns))),
            _ if shape.columns != Atom::ONE => None,
            _ if !shape.has_heads() => Some((rows, quote!(#batch))),
            // The scalars of all heads are a vector.
            _ => shape.has_one_entry().then(|| (self.atom(shape.heads), quote!(#batch))),
        }
    }

    /// Returns the number of scalars of one block, of a parameter or of a sample.
    pub fn block_size(&self, shape: BlockShape) -> TokenStream {
        let (rows, columns) = (self.atom(shape.rows), self.atom(shape.columns));
        let heads = shape.has_heads().then(|| self.atom(shape.heads)).map(|heads| quote!(#heads *));
        quote!(#heads #rows * #columns)
    }

    /// Returns the type of one block of a grid. A matrix whose rows or columns are `K*D` shows the
    /// whole matrix.
    fn term_type(&self, rows: Atom, columns: Atom, level: Level) -> TokenStream {
        let shape = BlockShape::new(rows, columns);
        let (k, batch) = (&self.k, &self.batch);
        let is_matrix = level == Level::Param || columns != Atom::ONE;
        if !is_matrix || !(rows.is_product() || columns.is_product()) {
            return self.block_type(shape, level);
        }
        let matrix = self.matrix(self.atom(shape.rows), self.atom(shape.columns));
        let heads = self.atom(shape.heads);
        let whole = if rows.is_product() {
            quote!(#k::HeadRows<#matrix, { #heads }>)
        } else {
            quote!(#k::HeadCols<#matrix, { #heads }>)
        };
        if level == Level::Param { whole } else { quote!([#whole; #batch]) }
    }

    /// Returns the type of a value whose dimensions may be sums: blocks nested to the right. `term`
    /// is the type of one block.
    fn grid_type(
        &self,
        rows: &[Atom],
        columns: &[Atom],
        term: &dyn Fn(Atom, Atom) -> TokenStream,
    ) -> TokenStream {
        let k = &self.k;
        match (rows, columns) {
            ([row], [column]) => term(*row, *column),
            ([row], [column, rest @ ..]) => {
                let left = term(*row, *column);
                let right = self.grid_type(&[*row], rest, term);
                quote!(#k::Cols<#left, #right>)
            }
            ([row, rest @ ..], columns) => {
                let top = self.grid_type(&[*row], columns, term);
                let bottom = self.grid_type(rest, columns, term);
                quote!(#k::Rows<#top, #bottom>)
            }
            ([], _) => quote!(()),
        }
    }

    pub fn shape_type(&self, shape: &Shape, level: Level) -> TokenStream {
        let term = |rows, columns| self.term_type(rows, columns, level);
        self.grid_type(shape.rows.atoms(), shape.columns.atoms(), &term)
    }

    /// Returns the type of a one-hot input: an index for each sample.
    pub fn index_type(&self) -> TokenStream {
        let batch = &self.batch;
        quote!([u32; #batch])
    }

    /// Returns the type of a declaration as the user sees it. An unknown shape (an error that has
    /// been reported) is treated as a scalar.
    pub fn declared_type(&self, index: usize) -> TokenStream {
        let scalar = &self.scalar;
        if self.shapes.one_hot[index].is_some() {
            return self.index_type();
        }
        let shape = self.shapes.declarations[index].clone().unwrap_or_else(Shape::scalar);
        let declaration = &self.cell.declarations[index];
        let is_saved = declaration.kind.is_saved();
        if declaration.heads_block.is_some() {
            let heads = self.heads_of(index);
            let number = self.atom(heads);
            if is_saved && shape.is_scalar() {
                return quote!([#scalar; #number]);
            }
            let term = |rows, columns| {
                let shape = BlockShape::of_heads(heads, rows, columns);
                let block = self.block_type(shape, if is_saved { Level::Param } else { Level::Time });
                // The parameters of `heads 1` are an array too.
                if is_saved && !shape.has_heads() { quote!([#block; 1]) } else { block }
            };
            return self.grid_type(shape.rows.atoms(), shape.columns.atoms(), &term);
        }
        match declaration.kind {
            DeclarationKind::Param | DeclarationKind::Buffer if shape.is_scalar() => quote!(#scalar),
            DeclarationKind::Param | DeclarationKind::Buffer => self.shape_type(&shape, Level::Param),
            _ => self.shape_type(&shape, Level::Time),
        }
    }

    /// Returns the number of heads of the block of equations that contains a declaration, and one
    /// outside of such a block.
    pub fn heads_of(&self, declaration: usize) -> Atom {
        heads(self.cell, self.cell.declarations[declaration].heads_block)
    }

    /// Returns the path from a value to one of its blocks: `.bottom.left`.
    pub fn block_path(&self, blocks: (usize, usize), row: usize, column: usize) -> TokenStream {
        let path = block_path(blocks, row, column).into_iter().map(ident);
        quote!(#(.#path)*)
    }

    /// Returns the path to a block of a declaration.
    pub fn declared_path(&self, piece: Piece) -> TokenStream {
        let name = &self.cell.declarations[piece.of].name;
        let path = self.path_within(piece);
        quote!(#name #path)
    }

    /// Returns the path from the input of a step to a block of an input.
    pub fn input_path(&self, piece: Piece) -> TokenStream {
        if self.inputs().len() > 1 {
            let path = self.declared_path(piece);
            return quote!(.#path);
        }
        self.path_within(piece)
    }

    pub fn inputs(&self) -> Vec<usize> {
        declared(self.cell, DeclarationKind::Input)
    }

    /// Returns the inputs that have cotangents: all but indices.
    pub fn varying_inputs(&self) -> Vec<usize> {
        self.inputs().into_iter().filter(|index| self.shapes.one_hot[*index].is_none()).collect()
    }

    /// Returns the path from a declaration to one of its blocks. An index is one block whatever its
    /// range.
    pub fn path_within(&self, piece: Piece) -> TokenStream {
        match &self.shapes.declarations[piece.of] {
            Some(shape) if self.shapes.one_hot[piece.of].is_none() => {
                self.block_path(shape.blocks(), piece.row, piece.column)
            }
            _ => TokenStream::new(),
        }
    }

    /// Returns whether a parameter or buffer is a plain scalar field.
    pub fn is_scalar_field(&self, index: usize) -> bool {
        self.shapes.declarations[index].as_ref().is_some_and(Shape::is_scalar)
    }

    /// Returns the scalars of a block of the cell or of its gradients, `owner`, as a slice.
    pub fn saved(&self, owner: TokenStream, piece: Piece, access: Access) -> TokenStream {
        let (k, path) = (&self.k, self.declared_path(piece));
        let has_heads = self.cell.declarations[piece.of].heads_block.is_some();
        if !self.is_scalar_field(piece.of) {
            return match access {
                Access::Read => quote!(#k::Flat::flat(&#owner.#path)),
                Access::Write => quote!(#k::Flat::flat_mut(&mut #owner.#path)),
            };
        }
        match access {
            Access::Read if has_heads => quote!(&#owner.#path[..]),
            Access::Write if has_heads => quote!(&mut #owner.#path[..]),
            Access::Read => quote!(::core::slice::from_ref(&#owner.#path)),
            Access::Write => quote!(::core::slice::from_mut(&mut #owner.#path)),
        }
    }

    /// Returns a matrix of the cell, `owner`. With several heads it is the matrix of the head
    /// `__head`.
    pub fn plain_matrix(&self, owner: TokenStream, piece: Piece) -> TokenStream {
        let path = self.declared_path(piece);
        let is_product =
            |dim: &Dim, index: usize| dim.atoms().get(index).is_some_and(|atom| atom.is_product());
        match &self.shapes.declarations[piece.of] {
            _ if self.cell.declarations[piece.of].heads_block.is_some() => match self.heads_of(piece.of) {
                Atom::ONE => quote!(#owner.#path[0]),
                _ => quote!(#owner.#path[__head]),
            },
            Some(shape) if is_product(&shape.rows, piece.row) || is_product(&shape.columns, piece.column) => {
                quote!(#owner.#path.heads[__head])
            }
            _ => quote!(#owner.#path),
        }
    }

    /// Returns the dimensions that the fields of some declarations use, in the cell's order.
    pub fn dims_of_declared(&self, indices: &[usize]) -> Vec<usize> {
        let shapes = indices.iter().filter_map(|index| self.shapes.declarations[*index].as_ref());
        let mut used = self.dims_of(shapes);
        used.extend(indices.iter().flat_map(|index| self.heads_of(*index).names()));
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Returns the dimensions that the fields of a type use, in the cell's order.
    pub fn dims_of<'s>(&self, shapes: impl Iterator<Item = &'s Shape>) -> Vec<usize> {
        let mut used: Vec<usize> = shapes
            .flat_map(|shape| shape.rows.atoms().iter().chain(shape.columns.atoms()).copied())
            .flat_map(Atom::names)
            .collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    pub fn all_dims(&self) -> Vec<usize> {
        (0..self.cell.dimensions.len()).collect()
    }

    /// Writes `const I: usize, const H: usize`.
    pub fn dim_parameters(&self, dims: &[usize]) -> TokenStream {
        let names = dims.iter().map(|index| &self.dimensions[*index]);
        quote!(#(const #names: usize,)*)
    }

    /// Writes `{ I }, { H },`. A bare name would be taken for a type of the user with that name.
    pub fn dim_arguments(&self, dims: &[usize]) -> TokenStream {
        let names = dims.iter().map(|index| &self.dimensions[*index]);
        quote!(#({ #names },)*)
    }
}

/// Writes a number as an expression of type `f64`.
pub fn number(value: f64) -> TokenStream {
    if value.is_nan() {
        return quote!(::core::primitive::f64::NAN);
    }
    let magnitude = match value.is_infinite() {
        true => quote!(::core::primitive::f64::INFINITY),
        false => Literal::f64_suffixed(value.abs()).into_token_stream(),
    };
    if value.is_sign_negative() { quote!(-#magnitude) } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_written_with_their_sign() {
        for (value, text) in [(0.5, "0.5f64"), (-0.0, "- 0f64"), (f64::MAX, &format!("{}f64", f64::MAX))] {
            assert_eq!(number(value).to_string(), text);
        }
        let [infinite, nan] = [f64::NEG_INFINITY, -f64::NAN].map(|value| number(value).to_string());
        assert!(infinite.starts_with('-') && infinite.ends_with("INFINITY"), "{infinite}");
        assert!(nan.ends_with("NAN"), "{nan}");
    }
}
