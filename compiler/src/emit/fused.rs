//! Fused loops: an element-wise chain, and the sums over its results, as one pass over the rows of
//! each column.

use crate::dim::Atom;
use crate::emit::body::{Body, commented};
use crate::emit::hygiene::variable;
use crate::emit::ops::elementwise;
use crate::emit::past::window_column_in_step;
use crate::graph::ir::{BlockShape, Id, Level, Op};
use crate::plan::schedule::Region;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use std::collections::HashSet;

/// The ways to read an argument of a loop.
enum Operand {
    /// A constant, written inline.
    Constant,
    /// Another node of the same loop.
    Inside,
    /// A slice with one entry per row.
    Slice(TokenStream),
    /// One number for all rows of a column, loaded at the start of the loop in which it changes.
    Scalar { load: TokenStream, at: LoadPoint },
}

/// The loop at whose start a number is loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LoadPoint {
    Outside,
    Sample,
    Head,
    Column,
}

/// The values that a loop reads from outside.
struct Operands {
    /// Statements that load single numbers.
    loads: Vec<(LoadPoint, TokenStream)>,
    /// The inputs of the closure: their names, their slices at a column, and the values.
    slices: Vec<(Ident, TokenStream, Id)>,
}

impl Operands {
    fn loads_at(&self, point: LoadPoint) -> TokenStream {
        self.loads.iter().filter(|(at, _)| *at == point).map(|(_, load)| load.clone()).collect()
    }
}

/// Element-wise nodes of one shape, and sums of them, that are computed in one loop.
pub struct Loop<'b> {
    body: &'b Body<'b>,
    region: Region,
    space: BlockShape,
    /// True if the rows of the loop are those of all heads, which are adjacent in memory.
    joins_heads: bool,
    /// The nodes that are computed entry by entry, in this order.
    entries: Vec<Id>,
    /// The sums over the rows: one number per column, or one for all columns.
    sums: Vec<Id>,
    /// The sums over the columns, accumulated column by column.
    row_sums: Vec<Id>,
    /// The set of `entries`, for lookups.
    inside: HashSet<Id>,
}

impl<'b> Loop<'b> {
    pub fn new(body: &'b Body<'b>, region: Region, space: BlockShape, nodes: &[Id]) -> Self {
        let of = |is: fn(&Op) -> bool| {
            nodes.iter().copied().filter(|id| is(&body.graph[*id].op)).collect::<Vec<_>>()
        };
        let entries = of(|op| !op.is_sum());
        let inside: HashSet<Id> = entries.iter().copied().collect();
        // The vectors of all heads form one vector, unless an operand repeats for each head.
        let repeats = |arg: &Id| {
            let shape = body.graph[*arg].shape;
            let is_one_number = shape.is_scalar() || inside.contains(arg);
            !is_one_number && (shape.heads, shape.rows) != (space.heads, space.rows)
        };
        let joins_heads = space.has_heads()
            && space.columns == Atom::ONE
            && entries.len() == nodes.len()
            && !nodes.iter().flat_map(|id| &body.graph[*id].args).any(repeats);
        Loop {
            body,
            joins_heads,
            region,
            space,
            inside,
            entries,
            sums: of(|op| matches!(op, Op::Sum | Op::ColumnSum)),
            row_sums: of(|op| *op == Op::RowSum),
        }
    }

    /// Returns the loop.
    pub fn emit(&self) -> TokenStream {
        let (operands, outs) = (self.operands(), self.outs());
        let loads = operands.loads_at(LoadPoint::Outside);
        let closure = self.closure(&operands, &outs);
        let code = if self.is_flat(&operands) {
            self.flat(&operands, &outs, closure)
        } else if self.is_flat_with_fixed_inputs(&operands) {
            self.flat_columns(&operands, &outs, closure)
        } else {
            self.nested(&operands, &outs, closure)
        };
        let comment = self.body.comment(&self.nodes().collect::<Vec<_>>());
        commented(&comment, quote!(#loads #code))
    }

    fn nodes(&self) -> impl Iterator<Item = Id> + '_ {
        self.entries.iter().chain(&self.sums).chain(&self.row_sums).copied()
    }

    fn args(&self) -> impl Iterator<Item = Id> + '_ {
        self.nodes().flat_map(move |id| &self.body.graph[id].args).copied()
    }

    /// Returns the node of the loop that overwrites an argument in place.
    fn replacement(&self, arg: Id) -> Option<Id> {
        self.body.pass.in_place.get(&arg).copied().filter(|new| self.inside.contains(new))
    }

    /// Returns the values that the loop reads from outside.
    fn operands(&self) -> Operands {
        let mut operands = Operands { loads: vec![], slices: vec![] };
        let mut seen: HashSet<Id> = HashSet::new();
        for arg in self.args() {
            if !seen.insert(arg) || self.replacement(arg).is_some() {
                continue;
            }
            let name = self.argument(arg);
            match self.operand(arg) {
                Operand::Constant | Operand::Inside => {}
                Operand::Slice(slice) => operands.slices.push((name, slice, arg)),
                Operand::Scalar { load, at } => operands.loads.push((at, quote!(let #name = #load;))),
            }
        }
        operands
    }

    /// Returns the nodes that the closure writes: all stored entries, then the sums over the
    /// columns.
    fn outs(&self) -> Vec<Id> {
        let stored = self.entries.iter().filter(|id| self.body.pass.places.contains_key(id));
        stored.chain(&self.row_sums).copied().collect()
    }

    /// Returns whether all slices of the loop are whole values of one shape, so that the loop runs
    /// over all columns as over one vector.
    fn is_flat(&self, operands: &Operands) -> bool {
        self.writes_whole_values(operands) && operands.slices.iter().all(|(_, _, arg)| self.is_full(*arg))
    }

    /// Returns whether the loop runs over all columns of vectors, some of whose arguments are the
    /// same for all columns.
    fn is_flat_with_fixed_inputs(&self, operands: &Operands) -> bool {
        self.writes_whole_values(operands)
            && self.space.columns == Atom::ONE
            && !self.space.has_heads()
            && matches!(self.region, Region::Before | Region::After | Region::Inputs)
            && operands.slices.iter().all(|(_, _, arg)| self.is_full(*arg) || self.is_fixed(*arg))
    }

    /// Returns whether no sum is part of the loop, all results are whole values, no number changes
    /// from column to column, and no slice is in a ring.
    fn writes_whole_values(&self, operands: &Operands) -> bool {
        self.sums.is_empty()
            && self.row_sums.is_empty()
            && operands.loads.iter().all(|(at, _)| *at == LoadPoint::Outside)
            && self.outs().iter().all(|id| self.is_full(*id))
            && !operands.slices.iter().any(|(_, _, arg)| self.body.is_in_ring(*arg))
    }

    /// Returns the closure that computes the entries of one row.
    fn closure(&self, operands: &Operands, outs: &[Id]) -> TokenStream {
        let inputs = operands.slices.iter().map(|(name, ..)| name);
        let old: Vec<Option<Ident>> = outs.iter().map(|id| self.old_contents(*id)).collect();
        let old = if old.iter().all(Option::is_none) {
            quote!(_)
        } else {
            let old = old.into_iter().map(|name| name.unwrap_or_else(|| format_ident!("_")));
            quote!([#(#old),*])
        };
        let (lines, results) = (self.lines(), self.results(outs));
        quote! {
            #[inline(always)]
            |[#(#inputs),*], #old| {
                #lines
                #results
            }
        }
    }

    /// Returns the closure's name of the old contents of an output, if it reads them.
    fn old_contents(&self, out: Id) -> Option<Ident> {
        match self.body.graph[out].op {
            Op::Accumulate | Op::RowSum => Some(self.old(out)),
            _ => {
                let replaced = self.args().find(|arg| self.replacement(*arg) == Some(out));
                replaced.map(|arg| self.argument(arg))
            }
        }
    }

    /// Returns the loop over all columns as over one vector.
    fn flat(&self, operands: &Operands, outs: &[Id], closure: TokenStream) -> TokenStream {
        let k = &self.body.cx.k;
        let ins = operands.slices.iter().map(|(_, _, arg)| self.body.var(*arg));
        let outs = outs.iter().map(|id| self.body.var(*id));
        quote!(#k::map_flat(isa, [#(&*#ins),*], [#(&mut *#outs),*], #closure);)
    }

    /// Returns the loop over all columns of vectors, some of whose arguments are the same for all.
    fn flat_columns(&self, operands: &Operands, outs: &[Id], closure: TokenStream) -> TokenStream {
        let (cx, k) = (self.body.cx, &self.body.cx.k);
        let ins = operands.slices.iter().map(|(_, _, arg)| self.body.var(*arg));
        let fixed = operands.slices.iter().map(|(_, _, arg)| !self.is_full(*arg));
        let outs = outs.iter().map(|id| self.body.var(*id));
        let rows = cx.atom(self.space.rows);
        quote! {
            #k::map_columns(
                isa, #k::Size::<{ #rows }>, [#(&*#ins),*], [#(#fixed),*], [#(&mut *#outs),*], #closure,
            );
        }
    }

    /// Returns loops over the samples, the heads and the columns, around the loop over the rows.
    fn nested(&self, operands: &Operands, outs: &[Id], closure: TokenStream) -> TokenStream {
        let (cx, k) = (self.body.cx, &self.body.cx.k);
        let outs = outs.iter().map(|id| self.out_slice(*id));
        let slices = operands.slices.iter().map(|(_, slice, _)| slice);
        let rows = cx.atom(self.space.rows);
        let arguments = quote!([#(#slices),*], [#(#outs),*], #closure);
        let call = if self.joins_heads {
            quote!(#k::map_flat(isa, #arguments);)
        } else if self.sums.is_empty() {
            quote!(#k::map(isa, #k::Size::<{ #rows }>, #arguments);)
        } else {
            let take = self.take_sums();
            quote! {
                let __sums = #k::fold(isa, #k::Size::<{ #rows }>, #arguments);
                #take
            }
        };
        let [sample, head, column] =
            [LoadPoint::Sample, LoadPoint::Head, LoadPoint::Column].map(|point| operands.loads_at(point));
        let inner = if self.space.columns == Atom::ONE {
            quote!(#column #call)
        } else {
            let width = cx.atom(self.space.columns);
            let start = self.start_sums();
            quote!(#start for __c in 0..#width { #column #call })
        };
        let inner = if self.space.has_heads() && !self.joins_heads {
            let heads = cx.atom(self.space.heads);
            quote!(for __head in 0..#heads { #head #inner })
        } else {
            inner
        };
        let columns = self.body.columns(self.region);
        match self.region.level() {
            Level::Param => quote!(#sample #inner),
            _ => quote!(for __j in 0..#columns { #sample #inner }),
        }
    }

    /// Returns the statements of the closure, one per entry.
    fn lines(&self) -> TokenStream {
        let lines = self.entries.iter().map(|id| {
            let (name, value) = (self.body.names.variable(*id), self.operation(*id));
            quote!(let #name = #value;)
        });
        quote!(#(#lines)*)
    }

    /// Returns the result of the closure: the new contents of the outputs, and the summands over
    /// the rows.
    fn results(&self, outs: &[Id]) -> TokenStream {
        let results = outs.iter().map(|id| match self.body.graph[*id].op {
            Op::RowSum => {
                let (old, term) = (self.old(*id), self.scalar(self.body.graph[*id].args[0]));
                quote!(#old + #term)
            }
            _ => {
                let name = self.body.names.variable(*id);
                quote!(#name)
            }
        });
        if self.sums.is_empty() {
            return quote!([#(#results),*]);
        }
        let terms = self.sums.iter().map(|id| self.scalar(self.body.graph[*id].args[0]));
        quote!(([#(#results),*], [#(#terms),*]))
    }

    /// Returns statements that store the sums over the rows of a column.
    fn take_sums(&self) -> TokenStream {
        let takes = self.sums.iter().enumerate().map(|(index, id)| {
            let node = &self.body.graph[*id];
            let (var, index) = (self.body.var(*id), Literal::usize_unsuffixed(index));
            let at = self.index(*id);
            match node.op {
                Op::ColumnSum => {
                    let width = self.body.cx.atom(self.space.columns);
                    let at = at.map(|at| quote!(#at * #width +));
                    quote!(#var[#at __c] = __sums[#index];)
                }
                _ => {
                    let at = at.unwrap_or(quote!(0));
                    if self.space.columns == Atom::ONE {
                        quote!(#var[#at] = __sums[#index];)
                    } else {
                        quote!(#var[#at] += __sums[#index];)
                    }
                }
            }
        });
        quote!(#(#takes)*)
    }

    /// Returns statements that set sums over several columns to zero.
    fn start_sums(&self) -> TokenStream {
        let k = &self.body.cx.k;
        let totals = self.sums.iter().filter(|id| self.body.graph[**id].op == Op::Sum).map(|id| {
            let (var, at) = (self.body.var(*id), self.index(*id));
            let at = at.unwrap_or(quote!(0));
            quote!(#k::zero_fill(&mut #var[#at..#at + 1]);)
        });
        let vectors = self.row_sums.iter().map(|id| {
            let out = self.out_slice(*id);
            quote!(#k::zero_fill(#out);)
        });
        quote!(#(#totals)* #(#vectors)*)
    }

    /// Returns the index of a value's own column.
    fn index(&self, id: Id) -> Option<TokenStream> {
        let node = &self.body.graph[id];
        let heads = if self.joins_heads { Atom::ONE } else { node.shape.heads };
        self.body.column_index(self.region, node.level, heads)
    }

    /// Returns the number of rows of the loop.
    fn rows(&self) -> TokenStream {
        let (rows, heads) = (self.body.cx.atom(self.space.rows), self.body.cx.atom(self.space.heads));
        if self.joins_heads { quote!((#heads * #rows)) } else { rows }
    }

    /// Returns the closure's name of an argument. One loop may read a reshaped value in both
    /// shapes.
    fn argument(&self, arg: Id) -> Ident {
        let name = self.body.names.text(self.body.graph.storage(arg));
        if self.body.graph[arg].op == Op::Reshape { variable(&format!("{name}_t")) } else { variable(name) }
    }

    fn old(&self, id: Id) -> Ident {
        variable(&format!("{}_so_far", self.body.names.text(id)))
    }

    /// Returns whether a node has one entry for each entry of the space, at each column of the
    /// region.
    fn is_full(&self, id: Id) -> bool {
        let node = &self.body.graph[id];
        node.shape == self.space && node.level == self.region.level()
    }

    /// Returns whether a node is one column of the space, which is the same at each column of the
    /// region.
    fn is_fixed(&self, id: Id) -> bool {
        let node = &self.body.graph[id];
        node.shape == self.space && node.level == Level::Param
    }

    /// Returns how the loop reads an argument.
    fn operand(&self, arg: Id) -> Operand {
        if self.body.graph.is_constant(arg) {
            return Operand::Constant;
        }
        if self.inside.contains(&arg) {
            return Operand::Inside;
        }
        if let Some((index, at)) = self.single_number(arg) {
            let var = self.body.var(arg);
            return Operand::Scalar { load: quote!(#var[#index]), at };
        }
        if self.body.is_in_ring(arg) {
            return Operand::Slice(window_column_in_step(self.body, arg));
        }
        let (k, var) = (&self.body.cx.k, self.body.var(arg));
        let has_one_column = self.body.graph[arg].shape.columns == Atom::ONE;
        Operand::Slice(match self.column(arg, has_one_column || self.space.columns == Atom::ONE) {
            Some(column) => {
                let rows = self.rows();
                quote!(#k::column(&*#var, #rows, #column))
            }
            None => quote!(&*#var),
        })
    }

    /// Returns the index of the number that an argument has for all rows, and the loop in which it
    /// changes. None for an argument with one entry per row.
    fn single_number(&self, arg: Id) -> Option<(TokenStream, LoadPoint)> {
        let (space, node, index) = (self.space, &self.body.graph[arg], self.index(arg));
        let has_one_entry = node.shape.has_one_entry() && !(self.joins_heads && node.shape.has_heads());
        let is_fixed = index.is_none() && self.region.level() != Level::Param;
        if has_one_entry && (!space.has_one_entry() || self.joins_heads || is_fixed) {
            let at = match index {
                Some(_) if node.shape.has_heads() && !self.joins_heads => LoadPoint::Head,
                Some(_) => LoadPoint::Sample,
                None => LoadPoint::Outside,
            };
            return Some((index.unwrap_or(quote!(0)), at));
        }
        // A row: one number for each column of the space.
        let is_row = node.shape.rows == Atom::ONE && space.rows != Atom::ONE;
        is_row.then(|| (self.column(arg, false).into_token_stream(), LoadPoint::Column))
    }

    fn out_slice(&self, id: Id) -> TokenStream {
        let (k, var) = (&self.body.cx.k, self.body.var(id));
        let is_one_column = self.space.columns == Atom::ONE || self.body.graph[id].op == Op::RowSum;
        match self.column(id, is_one_column) {
            Some(column) => {
                let rows = self.rows();
                quote!(#k::column_mut(&mut *#var, #rows, #column))
            }
            None => quote!(&mut *#var),
        }
    }

    /// Returns the position of the loops among the columns of a value. Each sample and head has one
    /// column, or as many as the space. None for a value with one column in all.
    fn column(&self, id: Id, is_one_column: bool) -> Option<TokenStream> {
        let index = self.index(id);
        if is_one_column {
            return index;
        }
        let width = self.body.cx.atom(self.space.columns);
        Some(index.map_or(quote!(__c), |index| quote!(#index * #width + __c)))
    }

    /// Writes a node of a loop as an expression of scalars.
    fn operation(&self, id: Id) -> TokenStream {
        let k = &self.body.cx.k;
        let node = &self.body.graph[id];
        let arg = |index: usize| self.scalar(node.args[index]);
        match &node.op {
            Op::Unary(op) => elementwise::unary(k, *op, arg(0)),
            Op::Binary(op) => elementwise::binary(k, *op, arg(0), arg(1)),
            Op::Select(of) => elementwise::select(k, of, node.args.iter().map(|arg| self.scalar(*arg))),
            Op::Accumulate => {
                let (old, value) = (self.old(id), arg(0));
                quote!(#old + #value)
            }
            _ => arg(0),
        }
    }

    fn scalar(&self, id: Id) -> TokenStream {
        if self.body.graph.is_constant(id) {
            return self.body.constant(id);
        }
        if self.inside.contains(&id) {
            let name = self.body.names.variable(id);
            return quote!(#name);
        }
        let name = self.argument(id);
        quote!(#name)
    }
}
