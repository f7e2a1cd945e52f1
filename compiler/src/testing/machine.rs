//! An interpreter that runs a cell according to its plan: region by region, group by group, chunk
//! by chunk. A value exists from the end of its group to the end of its lifetime. A wrong order, a
//! missing residual, or a place with too short a lifetime therefore panics here.

use super::matrix::Matrix;
use super::source::Definition;
use super::{assemble, block_of, evaluate, extent, heads, present, shape_extent};
use crate::graph::grid::Grid;
use crate::graph::ir::{BlockShape, Earlier, Graph, Id, Level, Op, Piece, Reach};
use crate::plan::past::Source;
use crate::plan::schedule::{Group, ProductSum, Region, is_accumulated_product};
use crate::plan::{Bound, Lifetime, Pass, Place, Plan};
use std::collections::HashMap;

/// The whole values that a run reads.
#[derive(Clone)]
pub struct Data {
    pub sizes: Vec<usize>,
    pub steps: usize,
    pub batch: usize,
    /// The values of each declaration: one for a parameter, one per sample for a context or an
    /// initial state, one per step and sample for an input (samples of the same step are adjacent).
    pub declared: Vec<Vec<Matrix>>,
    /// The cotangents of each output, one per step and sample.
    pub output_bars: Vec<Vec<Matrix>>,
    /// The cotangents of the states after the last step, by declaration, one per sample.
    pub state_bars: Vec<Vec<Matrix>>,
}

/// Cotangents by declaration, in the layout of [`Data::declared`].
pub type Bars = Vec<Vec<Matrix>>;

/// The results of a forward pass: outputs in the layout of [`Data::output_bars`], final states in
/// that of [`Data::state_bars`].
pub struct Results {
    pub outputs: Vec<Vec<Matrix>>,
    pub states: Vec<Vec<Matrix>>,
    kept: Store,
}

/// The node, the step and the sample of a value.
type Key = (Id, Option<usize>, Option<usize>);
type Store = HashMap<Key, Matrix>;
/// A function that returns the value of a leaf, given its operation, rows and columns.
type Leaf<'a> = dyn Fn(&Store, &Op, usize, usize) -> Matrix + 'a;

pub struct Machine<'a> {
    pub definition: &'a Definition,
    pub plan: &'a Plan,
    pub data: &'a Data,
    /// The number of steps in a chunk.
    pub chunk: usize,
}

/// The state of a running pass.
struct Run<'a> {
    machine: &'a Machine<'a>,
    graph: &'a Graph,
    pass: &'a Pass,
    store: Store,
    leaf: Box<Leaf<'a>>,
}

impl Run<'_> {
    fn key(&self, id: Id, t: usize, b: usize) -> Key {
        match self.graph[id].level {
            Level::Param => (id, None, None),
            Level::Context => (id, None, Some(b)),
            Level::Time => (id, Some(t), Some(b)),
        }
    }

    fn value(&self, id: Id, t: usize, b: usize) -> Matrix {
        let (rows, columns) = extent(self.graph, id, &self.machine.data.sizes);
        if self.graph.is_constant(id) {
            return self.evaluate(id, t, b);
        }
        let storage = self.graph.storage(id);
        let node = &self.graph[storage];
        let value = match self.store.get(&self.key(storage, t, b)) {
            _ if node.op.is_leaf() => {
                heads::earlier((self.leaf)(&self.store, &node.op, t, b), node, &self.machine.data.sizes)
            }
            Some(value) => value.clone(),
            None => panic!("node {} {:?} does not exist at step {t}", storage.index(), node.op),
        };
        Matrix::new(rows, columns, value.entries)
    }

    fn evaluate(&self, id: Id, t: usize, b: usize) -> Matrix {
        if let op @ Op::Present { .. } = &self.graph[id].op {
            return present(&self.machine.data.sizes, op, t);
        }
        let args: Vec<Matrix> = self.graph[id].args.iter().map(|arg| self.value(*arg, t, b)).collect();
        evaluate(self.graph, id, &self.machine.data.sizes, &args.iter().collect::<Vec<_>>())
    }

    fn node(&mut self, id: Id, t: usize, b: usize) {
        let key = self.key(id, t, b);
        if self.graph[id].op == Op::Accumulate {
            let arg = self.graph[id].args[0];
            let term = if is_accumulated_product(self.graph, &self.pass.schedule.users, id) {
                self.evaluate(arg, t, b)
            } else {
                self.value(arg, t, b)
            };
            self.store.get_mut(&key).expect("sums start at zero").add(&term);
        } else {
            let value = self.evaluate(id, t, b);
            self.store.insert(key, value);
        }
    }

    /// Evaluates a sum whose terms are computed within it.
    fn sum(&self, id: Id, terms: &[Id], t: usize, b: usize) -> Matrix {
        if terms.contains(&id) {
            return self.evaluate(id, t, b);
        }
        let [left, right] = self.graph[id].args[..] else { panic!("a sum of products is a sum") };
        let mut sum = self.sum(left, terms, t, b);
        sum.add(&self.sum(right, terms, t, b));
        sum
    }

    fn region(&mut self, region: Region, steps: &[usize]) {
        let steps = if region.level() == Level::Time { steps } else { &[0] };
        let batch = if region.level() == Level::Param { 1 } else { self.machine.data.batch };
        for group in self.pass.schedule.groups(region) {
            for (t, b) in steps.iter().flat_map(|t| (0..batch).map(move |b| (*t, b))) {
                match group {
                    Group::Products { .. } | Group::PullBack(_) => {
                        for ProductSum { node, terms } in group.sums() {
                            let sum = self.sum(*node, terms, t, b);
                            self.store.insert(self.key(*node, t, b), sum);
                        }
                    }
                    _ => group.nodes().into_iter().for_each(|id| self.node(id, t, b)),
                }
            }
            // Values without a place live in the registers of their loop.
            let nodes = group.nodes();
            let pass = self.pass;
            self.store.retain(|(id, _, _), _| !nodes.contains(id) || pass.places.contains_key(id));
        }
    }

    fn forget(&mut self, is_over: impl Fn(Place, usize) -> bool) {
        self.forget_but(&[], is_over);
    }

    fn forget_but(&mut self, kept: &[Id], is_over: impl Fn(Place, usize) -> bool) {
        let pass = self.pass;
        self.store.retain(|(id, t, _), _| match (pass.places.get(id), t) {
            (Some(place), Some(t)) => !is_over(*place, *t) || kept.contains(id),
            _ => true,
        });
    }

    /// Sets every sum to zero.
    fn start_sums(&mut self) {
        for id in self.graph.ids().filter(|id| self.graph[*id].op == Op::Accumulate) {
            let (rows, columns) = extent(self.graph, id, &self.machine.data.sizes);
            for b in 0..self.machine.data.batch {
                self.store.insert(self.key(id, 0, b), Matrix::zero(rows, columns));
            }
        }
    }
}

impl Machine<'_> {
    fn run<'a>(
        &'a self,
        graph: &'a Graph,
        pass: &'a Pass,
        store: Store,
        leaf: impl Fn(&Store, &Op, usize, usize) -> Matrix + 'a,
    ) -> Run<'a> {
        Run { machine: self, graph, pass, store, leaf: Box::new(leaf) }
    }

    /// Returns a block of a declaration, for a sample at a step.
    fn read(&self, piece: Piece, t: usize, b: usize) -> Matrix {
        let values = &self.data.declared[piece.of];
        let whole = match values.len() {
            1 => &values[0],
            count if count == self.data.batch => &values[b],
            _ => &values[t * self.data.batch + b],
        };
        self.block(whole, piece)
    }

    fn block(&self, whole: &Matrix, piece: Piece) -> Matrix {
        self.definition.block(whole, piece, &self.data.sizes)
    }

    /// Assembles a value from its blocks; missing ones are zero.
    fn whole(&self, declaration: usize, bounds: &[Bound], value: impl Fn(Id) -> Matrix) -> Matrix {
        let whole = &self.data.declared[declaration][0];
        self.definition.assemble(declaration, &self.data.sizes, |row, column| {
            let piece = Piece { of: declaration, row, column };
            let Matrix { rows, columns, .. } = self.block(whole, piece);
            match bounds.iter().find(|bound| bound.piece == piece) {
                Some(bound) => {
                    let value = value(bound.id);
                    Matrix::from_fn(rows, columns, |r, c| value.at(r, c))
                }
                None => Matrix::zero(rows, columns),
            }
        })
    }

    /// Returns a value of which one block is given and all others are zero.
    fn whole_of(&self, piece: Piece, block: &Matrix) -> Matrix {
        let bound = Bound { piece, id: Id(0) };
        self.whole(piece.of, &[bound], |_| block.clone())
    }

    fn outputs(&self, run: &Run, t: usize, b: usize) -> Vec<Matrix> {
        let whole = |(blocks, (rows, columns)): (&Vec<Bound>, &(Vec<_>, Vec<_>))| {
            let grid = Grid { rows: rows.clone(), columns: columns.clone(), blocks: vec![] };
            assemble(&grid, &self.data.sizes, |row, column| {
                let bound =
                    blocks.iter().find(|bound| (bound.piece.row, bound.piece.column) == (row, column));
                let value = run.value(bound.expect("every block has a value").id, t, b);
                let (r, c) = shape_extent(BlockShape::new(rows[row], columns[column]), &self.data.sizes);
                Matrix::new(r, c, value.entries)
            })
        };
        self.plan.outputs.iter().zip(&self.plan.output_shapes).map(whole).collect()
    }

    /// Returns the values of earlier steps that a leaf reads.
    fn past(&self, store: &Store, initial: &[Vec<Matrix>], earlier: Earlier, t: usize, b: usize) -> Matrix {
        let source = self.plan.source(earlier.piece);
        super::earlier(&super::delays(&self.data.sizes, earlier.reach), earlier.reach, |delay| {
            let at = t.checked_sub(delay);
            let computed = |id: Id, at: usize| match store.get(&(id, Some(at), Some(b))) {
                Some(value) => value.clone(),
                // Only the shape of the present value is used.
                None if delay == 0 => {
                    let (rows, columns) = extent(&self.plan.graph, id, &self.data.sizes);
                    Matrix::zero(rows, columns)
                }
                None => panic!("the recorded value {} does not exist at step {at}", id.index()),
            };
            match (source, at) {
                (Source::Input(piece) | Source::Index(piece), Some(at)) => self.read(piece, at, b),
                (Source::Index(_), None) => Matrix::scalar(1e9),
                (Source::Input(piece), None) => self.read_shape(piece),
                (Source::State(piece), None) => self.block(&initial[piece.of][b], piece),
                (Source::State(piece), Some(at)) => {
                    let state = self.plan.states.iter().find(|bound| bound.piece == piece);
                    computed(state.expect("every state has a value").id, at)
                }
                (Source::Value(id), Some(at)) => computed(id, at),
                (Source::Value(id), None) => {
                    let (rows, columns) = extent(&self.plan.graph, id, &self.data.sizes);
                    Matrix::zero(rows, columns)
                }
            }
        })
    }

    /// Returns zeros in the shape of a block of an input.
    fn read_shape(&self, piece: Piece) -> Matrix {
        self.block(&self.data.declared[piece.of][0], piece).map(|_| 0.0)
    }

    /// Returns the cotangent of a recorded value at a step, from the reads of later steps. Steps
    /// before the first one are negative.
    fn past_bar(
        &self,
        store: &Store,
        piece: Piece,
        rings: impl Fn(usize) -> bool,
        t: i64,
        b: usize,
    ) -> Option<Matrix> {
        let mut sum: Option<Matrix> = None;
        for push in
            self.plan.pushes.iter().filter(|push| push.earlier.piece == piece && rings(push.earlier.ring))
        {
            for (index, delay) in super::delays(&self.data.sizes, push.earlier.reach).into_iter().enumerate()
            {
                let Ok(at) = usize::try_from(t + delay as i64) else { continue };
                if at >= self.data.steps {
                    continue;
                }
                let Some(bar) = store.get(&(push.id, Some(at), Some(b))) else {
                    panic!("the cotangent {} does not exist at step {at}", push.id.index())
                };
                let bar = match push.earlier.reach {
                    Reach::Delay { .. } => bar.clone(),
                    Reach::Window { entries, .. } => {
                        let size = |atom| super::size(&self.data.sizes, atom);
                        let heads = size(self.plan.graph[push.id].shape.heads);
                        heads::column_of_windows(bar, heads, size(entries), index)
                    }
                };
                match &mut sum {
                    Some(sum) => sum.add(&bar),
                    None => sum = Some(bar),
                }
            }
        }
        sum
    }

    /// Returns the states before the first step: the given ones, or those of the definition.
    fn initial(&self) -> Vec<Vec<Matrix>> {
        let mut states = self.data.declared.clone();
        if let Some(initial) = &self.plan.initial {
            let mut run = self.run(&initial.graph, &initial.forward, Store::new(), |_, op, t, b| match op {
                Op::Read(piece) => self.read(*piece, t, b),
                _ => panic!("unexpected leaf of an initial value: {op:?}"),
            });
            Region::ALL.into_iter().for_each(|region| run.region(region, &[0]));
            for bound in &initial.values {
                states[bound.piece.of] = (0..self.data.batch)
                    .map(|b| self.whole(bound.piece.of, &initial.values, |id| run.value(id, 0, b)))
                    .collect();
            }
        }
        states
    }

    pub fn forward(&self) -> Results {
        self.forward_by(&self.plan.forward, self.chunk, false)
    }

    /// Runs step by step, like `step`: only the states outlive a step.
    pub fn stream(&self) -> Results {
        self.forward_by(&self.plan.streaming, 1, true)
    }

    fn forward_by(&self, pass: &Pass, chunk: usize, streaming: bool) -> Results {
        let Data { steps, batch, .. } = *self.data;
        let initial = self.initial();
        let mut run = self.run(&self.plan.graph, pass, Store::new(), |store, op, t, b| match op {
            Op::Read(piece) => self.read(*piece, t, b),
            Op::Previous(piece) if t == 0 => self.block(&initial[piece.of][b], *piece),
            Op::Previous(piece) => {
                let state = self.plan.states.iter().find(|bound| bound.piece == *piece);
                store[&(state.expect("every state has a value").id, Some(t - 1), Some(b))].clone()
            }
            Op::Past(earlier) => self.past(store, &initial, *earlier, t, b),
            _ => panic!("unexpected leaf of a forward pass: {op:?}"),
        });
        run.start_sums();
        run.region(Region::Param, &[]);
        run.region(Region::Context, &[]);
        let mut outputs: Vec<Vec<Matrix>> = vec![vec![]; self.plan.outputs.len()];
        for t0 in (0..steps).step_by(chunk) {
            let span: Vec<usize> = (t0..steps.min(t0 + chunk)).collect();
            run.region(Region::Before, &span);
            for t in &span {
                run.region(Region::Step, &[*t]);
                run.forget(|place, _| place == Place::Buffer(Lifetime::Step));
            }
            run.region(Region::After, &span);
            for (t, b) in span.iter().flat_map(|t| (0..batch).map(move |b| (*t, b))) {
                for (output, value) in outputs.iter_mut().zip(self.outputs(&run, t, b)) {
                    output.push(value);
                }
            }
            // A single step leaves its new states in place of the old ones, and the values that
            // later steps read in rings.
            let recorded = self.plan.recorded.iter().filter_map(|record| record.computed());
            let kept: Vec<Id> = self.plan.states.iter().map(|bound| bound.id).chain(recorded).collect();
            run.forget_but(if streaming { &kept } else { &[] }, |place, _| match place {
                Place::Buffer(lifetime) => streaming || lifetime != Lifetime::Sequence,
                Place::Ring => true,
                _ => false,
            });
        }
        let mut states = initial.clone();
        for of in self.plan.states.iter().map(|bound| bound.piece.of).filter(|_| steps > 0) {
            states[of] = (0..batch)
                .map(|b| self.whole(of, &self.plan.states, |id| run.value(id, steps - 1, b)))
                .collect();
        }
        Results { outputs, states, kept: run.store }
    }

    /// Runs the backward pass on the tape of a forward pass.
    pub fn backward(&self, results: Results) -> Bars {
        let Data { steps, batch, .. } = *self.data;
        let plan = self.plan;
        let initial = self.initial();
        let mut bars: Bars = self
            .data
            .declared
            .iter()
            .map(|all| all.iter().map(|m| Matrix::zero(m.rows, m.columns)).collect())
            .collect();
        let mut run = self.run(&plan.graph, &plan.backward, results.kept, |store, op, t, b| match op {
            Op::Read(piece) => self.read(*piece, t, b),
            Op::Previous(piece) if t == 0 => self.block(&initial[piece.of][b], *piece),
            Op::Previous(piece) => {
                let state = plan.states.iter().find(|bound| bound.piece == *piece);
                store[&(state.expect("every state has a value").id, Some(t - 1), Some(b))].clone()
            }
            Op::Past(earlier) => self.past(store, &initial, *earlier, t, b),
            Op::PastBar { piece, ring } => {
                let bar = self.past_bar(store, *piece, |other| other == *ring, t as i64, b);
                bar.unwrap_or_else(|| {
                    let value = &self.definition.past.values[piece.of];
                    let (rows, columns) =
                        shape_extent(value.block(piece.row, piece.column), &self.data.sizes);
                    Matrix::zero(rows, columns)
                })
            }
            Op::OutputBar(piece) => {
                let whole = &self.data.output_bars[piece.of][t * batch + b];
                let (rows, columns) = &plan.output_shapes[piece.of];
                block_of(whole, rows, columns, &self.data.sizes, (piece.row, piece.column))
            }
            Op::CarryBar(piece) if t + 1 == steps => self.block(&self.data.state_bars[piece.of][b], *piece),
            Op::CarryBar(piece) => {
                let carry = plan.carries.iter().find(|bound| bound.piece == *piece);
                store[&(carry.expect("every state has a carry").id, Some(t + 1), Some(b))].clone()
            }
            _ => panic!("unexpected leaf of a backward pass: {op:?}"),
        });
        run.start_sums();
        run.region(Region::Param, &[]);
        run.region(Region::Context, &[]);
        let starts: Vec<usize> = (0..steps).step_by(self.chunk).collect();
        for t0 in starts.into_iter().rev() {
            let span: Vec<usize> = (t0..steps.min(t0 + self.chunk)).collect();
            run.region(Region::Before, &span);
            for t in span.iter().rev() {
                run.region(Region::Step, &[*t]);
                run.forget(|place, _| place == Place::Buffer(Lifetime::Step));
            }
            run.region(Region::After, &span);
            run.region(Region::Inputs, &span);
            for of in plan.input_bars.iter().map(|bound| bound.piece.of) {
                for (t, b) in span.iter().flat_map(|t| (0..batch).map(move |b| (*t, b))) {
                    bars[of][t * batch + b] = self.whole(of, &plan.input_bars, |id| run.value(id, t, b));
                }
            }
            let pushes: Vec<Id> = plan.pushes.iter().map(|push| push.id).collect();
            run.forget_but(&pushes, |place, t| match place {
                Place::Buffer(_) => true,
                Place::CarryOut(_) => t > t0,
                _ => false,
            } && t >= t0);
        }
        run.region(Region::ContextEnd, &[]);
        run.region(Region::ParamEnd, &[]);
        for bound in &plan.gradients {
            bars[bound.piece.of][0] = self.whole(bound.piece.of, &plan.gradients, |id| run.value(id, 0, 0));
        }
        for of in plan.context_bars.iter().map(|bound| bound.piece.of) {
            bars[of] =
                (0..batch).map(|b| self.whole(of, &plan.context_bars, |id| run.value(id, 0, b))).collect();
        }
        for of in plan.states.iter().map(|bound| bound.piece.of) {
            bars[of] = match steps {
                0 => self.data.state_bars[of].clone(),
                _ => (0..batch).map(|b| self.whole(of, &plan.carries, |id| run.value(id, 0, b))).collect(),
            };
        }
        for record in &plan.recorded {
            // Before the first step, a delayed state is its initial value.
            let Source::State(piece) = record.source else { continue };
            let deepest = plan.pushes.iter().filter(|push| push.earlier.piece == record.piece);
            let deepest = deepest.flat_map(|push| super::delays(&self.data.sizes, push.earlier.reach)).max();
            for (t, b) in (1..=deepest.unwrap_or(0) as i64).flat_map(|t| (0..batch).map(move |b| (-t, b))) {
                if let Some(bar) = self.past_bar(&run.store, record.piece, |_| true, t, b) {
                    let whole = self.whole_of(piece, &bar);
                    bars[piece.of][b].add(&whole);
                }
            }
        }
        self.backward_initial(&mut bars);
        bars
    }

    /// Pulls the cotangents of the initial states back to the values that the definition computes
    /// them from.
    fn backward_initial(&self, bars: &mut Bars) {
        let Some(initial) = &self.plan.initial else { return };
        let carries = bars.clone();
        let mut run = self.run(&initial.graph, &initial.backward, Store::new(), |_, op, t, b| match op {
            Op::Read(piece) => self.read(*piece, t, b),
            Op::CarryBar(piece) => self.block(&carries[piece.of][b], *piece),
            _ => panic!("unexpected leaf of an initial value's pull-back: {op:?}"),
        });
        run.start_sums();
        Region::ALL.into_iter().for_each(|region| run.region(region, &[0]));
        let mut add = |bounds: &[Bound], b: usize| {
            let mut declarations: Vec<usize> = bounds.iter().map(|bound| bound.piece.of).collect();
            declarations.dedup();
            for of in declarations {
                bars[of][b].add(&self.whole(of, bounds, |id| run.value(id, 0, b)));
            }
        };
        add(&initial.gradients, 0);
        (0..self.data.batch).for_each(|b| add(&initial.context_bars, b));
        // Initial values from the definition are not arguments of the sequence.
        for bound in &initial.values {
            bars[bound.piece.of].iter_mut().for_each(|bar| *bar = bar.map(|_| 0.0));
        }
    }
}
