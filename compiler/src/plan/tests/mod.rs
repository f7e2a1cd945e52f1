//! Tests of the schedule, of the groups and of the residuals.

mod edges;
mod scans;

use crate::dim::Atom;
use crate::graph::ir::{Binary, Graph, Id, Op};
use crate::graph::ops::{self, Cost};
use crate::graph::text::Writer;
use crate::lower::names::ValueNames;
use crate::plan::schedule::{Group, ProductSum, Region, head_product, is_accumulated_product};
use crate::plan::{Lifetime, Pass, Place, Plan};
use crate::testing::samples::SAMPLES;
use crate::testing::source::{Definition, read, read_all};

const LSTM: &str = "cell Lstm<I, H> {
    input x: [I]; state h, c: [H]; param W_i, W_f, W_g, W_o: [H, H + I], b_i, b_f, b_g, b_o: [H], W_y: [I, H];
    i = sigmoid(W_i @ [h[t-1], x] + b_i);
    f = sigmoid(W_f @ [h[t-1], x] + b_f);
    g = tanh(W_g @ [h[t-1], x] + b_g);
    o = sigmoid(W_o @ [h[t-1], x] + b_o);
    c = f * c[t-1] + i * g;
    h = o * tanh(c);
    y = W_y @ h;
    output y;
}";

struct Planned {
    definition: Definition,
    plan: Plan,
}

fn planned(source: &str) -> Planned {
    let definition = read(source);
    let plan = definition.plan();
    Planned { definition, plan }
}

impl Planned {
    fn names(&self) -> &ValueNames {
        &self.plan.names
    }

    /// Writes one line per group: the products, or the named values that a loop computes.
    fn region(&self, pass: &Pass, region: Region) -> Vec<String> {
        let (graph, names) = (&self.plan.graph, self.names());
        let dims: Vec<String> = self.definition.cell.dimensions.iter().map(ToString::to_string).collect();
        let name = |id: Id| {
            let node = &graph[graph.storage(id)];
            let is_shown = node.op.is_leaf() && !graph.is_constant(id) || node.name.is_some();
            is_shown.then(|| names.text(graph.storage(id)).to_owned())
        };
        let writer = Writer::new(graph, &dims, &name);
        let written = |ids: &[Id]| ids.iter().map(|id| writer.definition(*id)).collect::<Vec<_>>().join(", ");
        let group = |group: &Group| match group {
            Group::Elementwise { nodes, .. } => {
                let stored = nodes.iter().filter(|id| pass.places.contains_key(id));
                format!("loop: {}", stored.map(|id| names.text(*id)).collect::<Vec<_>>().join(", "))
            }
            Group::Products { sums } => {
                let written: Vec<_> =
                    sums.iter().map(|sum| written(&sum.terms).replace(", ", " + ")).collect();
                format!("products: {}", written.join(", "))
            }
            Group::PullBack(sum) => format!("pull back: {}", written(&sum.terms).replace(", ", " + ")),
            Group::Single(id) => written(&[*id]),
        };
        pass.schedule.groups(region).iter().map(group).collect()
    }

    fn named(&self, name: &str) -> Id {
        let names = self.names();
        self.plan
            .graph
            .ids()
            .find(|id| names.text(*id) == name)
            .unwrap_or_else(|| panic!("no value `{name}`"))
    }

    fn residuals(&self) -> Vec<String> {
        let names = self.names();
        self.plan.residuals.iter().map(|id| names.text(*id).to_owned()).collect()
    }
}

#[test]
fn forward_pass_of_an_lstm() {
    let lstm = planned(LSTM);
    let forward = &lstm.plan.forward;
    assert_eq!(
        lstm.region(forward, Region::Before),
        ["products: W_i_1 @ x, W_f_1 @ x, W_g_1 @ x, W_o_1 @ x"]
    );
    assert_eq!(
        lstm.region(forward, Region::Step),
        [
            "products: W_i_0 @ h_prev, W_f_0 @ h_prev, W_g_0 @ h_prev, W_o_0 @ h_prev",
            "loop: i, f, g, o, c, tanh_c, h"
        ]
    );
    assert_eq!(lstm.region(forward, Region::After), ["products: W_y @ h"]);
    for region in [Region::Param, Region::Context, Region::Inputs, Region::ContextEnd, Region::ParamEnd] {
        assert_eq!(lstm.region(forward, region), Vec::<String>::new());
    }
}

#[test]
fn backward_pass_of_an_lstm() {
    let lstm = planned(LSTM);
    let backward = &lstm.plan.backward;
    // The cotangent of the readout is one product over all steps of a chunk.
    assert_eq!(lstm.region(backward, Region::Before), ["pull back: W_y.T @ y_out_bar"]);
    assert_eq!(
        lstm.region(backward, Region::Step),
        [
            "loop: c_prev_bar, o_pre_bar, g_pre_bar, f_pre_bar, i_pre_bar",
            "pull back: W_o_0.T @ o_pre_bar + W_g_0.T @ g_pre_bar + W_f_0.T @ f_pre_bar + W_i_0.T @ i_pre_bar"
        ]
    );
    let mut after = lstm.region(backward, Region::After);
    after.sort();
    let mut expected =
        vec!["Σ y_out_bar @ h.T".to_owned(), "loop: b_o_bar, b_g_bar, b_f_bar, b_i_bar".to_owned()];
    for gate in ["i", "f", "g", "o"] {
        expected.push(format!("Σ {gate}_pre_bar @ h_prev.T"));
        expected.push(format!("Σ {gate}_pre_bar @ x.T"));
    }
    expected.sort();
    assert_eq!(after, expected);
    assert_eq!(
        lstm.region(backward, Region::Inputs),
        ["pull back: W_o_1.T @ o_pre_bar + W_g_1.T @ g_pre_bar + W_f_1.T @ f_pre_bar + W_i_1.T @ i_pre_bar"]
    );
    // Gradients are accumulated in the caller's buffers.
    for bound in &lstm.plan.gradients {
        assert_eq!(backward.places.get(&bound.id), Some(&Place::Gradient(bound.piece)));
    }
}

#[test]
fn residuals_of_an_lstm() {
    let lstm = planned(LSTM);
    // `h` and `y` are stored in any case: a state and the output.
    assert_eq!(lstm.residuals(), ["i", "f", "g", "o", "c", "tanh_c", "h", "y"]);
    for id in lstm.plan.graph.ids().filter(|id| lstm.plan.backward.schedule.region[id.index()].is_some()) {
        assert_eq!(lstm.plan.forward.schedule.region[id.index()], None, "nothing is recomputed");
    }
}

#[test]
fn lifetimes_of_an_lstm() {
    let lstm = planned(LSTM);
    let place = |name: &str| lstm.plan.forward.places.get(&lstm.named(name)).copied();
    assert_eq!(place("i"), Some(Place::Buffer(Lifetime::Sequence)));
    assert!(matches!(place("c"), Some(Place::State(_))));
    // Pre-activations are held in the registers of the loop.
    assert_eq!(place("i_pre"), None);
    let of = |region: Region| match &lstm.plan.forward.schedule.groups(region)[0] {
        Group::Products { sums } => lstm.plan.forward.places[&sums[0].node],
        other => panic!("{other:?}"),
    };
    assert_eq!(of(Region::Before), Place::Buffer(Lifetime::Chunk));
    assert_eq!(of(Region::Step), Place::Buffer(Lifetime::Step));
}

/// A single step cannot compute products ahead: those of the state and of the input are added up in
/// the kernels.
#[test]
fn streaming() {
    let lstm = planned(LSTM);
    let step = lstm.region(&lstm.plan.streaming, Region::Step);
    let gates = ["i", "f", "g", "o"].map(|gate| format!("W_{gate}_0 @ h_prev + W_{gate}_1 @ x"));
    assert_eq!(
        step,
        [format!("products: {}", gates.join(", ")), "loop: c, h".into(), "products: W_y @ h".into()]
    );
    for region in [Region::Before, Region::After] {
        assert_eq!(lstm.region(&lstm.plan.streaming, region), Vec::<String>::new());
    }
}

/// A step copies a window only if it needs the whole matrix, as a product or as an output.
#[test]
fn windows_in_rings() {
    let cell = planned(
        "cell Windows<H> { input x: [H]; state h: [H]; param U: [H, H];
         K = window(x, 3); y = K @ (x.T @ K).T; recent = window(x, 4);
         h = h[t-1] + y + row_sum(tanh(U @ window(x, 2))); output h, recent; }",
    );
    let is_in_ring = |count: u64| {
        let graph = &cell.plan.graph;
        let is_window =
            |id: &Id| matches!(graph[*id].op, Op::Window { entries, .. } if entries == Atom::Literal(count));
        let places = &cell.plan.streaming.places;
        let places: Vec<_> = graph.ids().filter(is_window).filter_map(|id| places.get(&id)).collect();
        assert_eq!(places.len(), 1, "a window is computed once");
        *places[0] == Place::Ring
    };
    assert_eq!([3, 2, 4].map(is_in_ring), [true, false, false]);
}

/// A value that depends on parameters alone is computed once per call, and a value that depends on
/// the context once per sample.
#[test]
fn levels() {
    let cell = planned(
        "cell Levels<H> { input x: [H]; context m: [H]; state h: [H]; param W: [H, H], a: [H];
         rate = sigmoid(a); key = W @ m; h = rate * h[t-1] + key * x; output h; }",
    );
    assert_eq!(cell.region(&cell.plan.forward, Region::Param), ["loop: rate"]);
    assert_eq!(cell.region(&cell.plan.forward, Region::Context), ["products: W @ m"]);
    // Both are still stored when the backward pass runs. Its own sums end one level below.
    let backward = &cell.plan.backward;
    assert_eq!(cell.region(backward, Region::ContextEnd), ["pull back: W.T @ key_bar", "Σ key_bar @ m.T"]);
    assert_eq!(cell.region(backward, Region::ParamEnd), ["loop: a_bar"]);
}

/// In a recurrence without a product, everything else runs for all steps at once.
#[test]
fn a_linear_recurrence() {
    let cell = planned(
        "cell Linear<I, H> { input x: [I]; state h: [H]; param W_z, W_h: [H, I];
         z = sigmoid(W_z @ x); v = W_h @ x; h = (1 - z) * h[t-1] + z * v; y = tanh(h); output y; }",
    );
    assert_eq!(cell.region(&cell.plan.forward, Region::Before), ["products: W_z @ x, W_h @ x", "loop: z"]);
    assert_eq!(cell.region(&cell.plan.forward, Region::Step), ["loop: h"]);
    assert_eq!(cell.region(&cell.plan.forward, Region::After), ["loop: y"]);
    let step = cell.region(&cell.plan.backward, Region::Step);
    assert!(
        matches!(&step[..], [only] if only.starts_with("loop: ") && only.ends_with("h_prev_bar")),
        "{step:?}"
    );
    assert_eq!(cell.residuals(), ["z", "v", "h", "y"]);
}

/// Returns the definitions for tests that hold for every cell.
fn all() -> Vec<Planned> {
    let definitions = SAMPLES.iter().copied().chain([LSTM]).flat_map(read_all);
    definitions
        .map(|definition| {
            let plan = definition.plan();
            Planned { definition, plan }
        })
        .collect()
}

fn is_costly(op: &Op) -> bool {
    ops::cost(op).is_some_and(|cost| cost > Cost::Low)
}

#[test]
fn expensive_values_are_never_computed_twice() {
    for planned in all() {
        let Planned { definition, plan } = &planned;
        let graph = &plan.graph;
        for pass in [&plan.forward, &plan.streaming, &plan.backward] {
            let mut seen: Vec<(Op, Vec<Id>)> = vec![];
            for id in graph.ids().filter(|id| pass.schedule.region[id.index()].is_some()) {
                let node = &graph[id];
                let args: Vec<Id> = node.args.iter().map(|arg| graph.storage(*arg)).collect();
                let key = (node.op.clone(), args);
                if is_costly(&node.op) {
                    assert!(!seen.contains(&key), "{}: {key:?}", definition.cell.name);
                    seen.push(key);
                }
            }
        }
        // Expensive values of the forward pass are stored, not recomputed.
        for id in graph.ids().filter(|id| plan.backward.schedule.region[id.index()].is_some()) {
            let is_again = plan.forward.schedule.region[id.index()].is_some();
            assert!(!is_again || !is_costly(&graph[id].op), "{}: {:?}", definition.cell.name, graph[id]);
        }
    }
}

/// Every residual is needed: it is a state, an output, or read by the backward pass.
#[test]
fn every_residual_is_needed() {
    for Planned { definition, plan } in all() {
        let graph = &plan.graph;
        for id in &plan.residuals {
            let is_there =
                plan.states.iter().chain(plan.outputs.iter().flatten()).any(|bound| bound.id == *id);
            let is_read = graph.ids().any(|user| {
                let is_run = plan.backward.schedule.region[user.index()].is_some();
                is_run && graph[user].args.iter().any(|arg| graph.storage(*arg) == *id)
            });
            let is_recorded = plan.recorded.iter().any(|record| record.computed() == Some(*id));
            assert!(is_there || is_recorded || is_read, "{}: {:?}", definition.cell.name, graph[*id]);
        }
    }
}

/// The gradient of a weight is one product over all steps of a chunk, never one update per step. A
/// sum of matrices of the recurrence is added up in the loop that computes them.
#[test]
fn gradients_of_weights_are_never_updated_step_by_step() {
    for Planned { definition, plan } in all() {
        let graph = &plan.graph;
        let is_sum = |id: &Id| graph[*id].op == Op::Accumulate;
        for id in graph.ids().filter(is_sum) {
            let region = plan.backward.schedule.region[id.index()];
            let term = graph[id].args[0];
            let is_outer = matches!(graph[term].op, Op::MatMul { .. });
            let is_matrix = !is_outer && graph[term].shape.is_matrix();
            assert!(region != Some(Region::Step) || is_matrix, "{}", definition.cell.name);
            if region == Some(Region::After) && is_outer {
                assert!(
                    is_accumulated_product(graph, &plan.backward.schedule.users, id),
                    "{}",
                    definition.cell.name
                );
            }
        }
    }
}

/// Products of the same shape and the same right-hand side run together.
#[test]
fn products_share_their_right_hand_side() {
    for Planned { definition, plan } in all() {
        for pass in [&plan.forward, &plan.streaming, &plan.backward] {
            for region in Region::ALL {
                let mut seen = vec![];
                for group in pass.schedule.groups(region) {
                    if let Group::Products { sums } = group {
                        let key = |sum: &ProductSum| {
                            let right = sum.terms.iter().map(|term| plan.graph[*term].args[1]);
                            let heads = head_product(&plan.graph, sum.terms[0]);
                            (plan.graph[sum.node].shape, heads, right.collect::<Vec<_>>())
                        };
                        assert!(sums.iter().all(|sum| key(sum) == key(&sums[0])));
                        assert!(!seen.contains(&key(&sums[0])), "{}", definition.cell.name);
                        seen.push(key(&sums[0]));
                    }
                }
            }
        }
    }
}

/// Sums of two products are one group, unless a term has another use.
#[test]
fn terms_with_other_uses_remain_values() {
    let cell = planned(
        "cell Terms<I, H> { input x: [I]; state h: [H]; param W: [H, I], U: [H, H];
         a = W @ x; h = tanh(U @ h[t-1] + a); y = a * h; output y; }",
    );
    let step = cell.region(&cell.plan.streaming, Region::Step);
    assert!(!step.iter().any(|group| group.contains("W @ x + U @ h_prev")), "{step:?}");
    let is_sum = |graph: &Graph, id: Id| graph[id].op == Op::Binary(Binary::Add);
    assert!(cell.plan.graph.ids().any(|id| is_sum(&cell.plan.graph, id)));
}

/// A matrix state is overwritten in place, unless its old value is read after the new one is
/// written.
#[test]
fn matrix_states_in_place() {
    let replaced = |equations: &str| {
        let cell = planned(&format!(
            "cell Memory<H> {{ input x: [H]; state M: [H, H], h: [H]; {equations} h = h[t-1] + y; output h; }}"
        ));
        let names = cell.names();
        let mut all: Vec<_> =
            cell.plan.streaming.in_place.keys().map(|id| names.text(*id).to_owned()).collect();
        all.sort();
        all
    };
    // The vector `h` is copied at the end of the step, whatever reads it.
    assert_eq!(replaced("M = 0.5 * M[t-1] + x @ x.T; y = M @ x;"), ["M_prev"]);
    assert_eq!(replaced("M = 0.5 * M[t-1] + x @ x.T; y = M[t-1] @ x;"), ["M_prev"]);
    assert_eq!(replaced("M = M[t-1] + M[t-1].T; y = M @ x;"), ["M_prev"]);
    assert_eq!(replaced("M = 0.5 * M[t-1] + x @ x.T; y = (M[t-1] * sum(M)) @ x;"), Vec::<String>::new());
    assert_eq!(replaced("M = x @ x.T; y = (M[t-1] + sum(M)) @ x;"), Vec::<String>::new());
}

/// Sums run in the loop that computes their terms, and so do nodes that only read a matrix of the
/// recurrence.
#[test]
fn a_matrix_is_read_once() {
    let cell = planned(
        "cell Fast<I, H> { input x: [I]; state M: [H, H]; param W_k, W_v, W_q: [H, I];
         k = tanh(W_k @ x); v = W_v @ x; q = tanh(W_q @ x); M = 0.9 * M[t-1] + v @ k.T; y = M @ q; output y; }",
    );
    assert_eq!(cell.region(&cell.plan.forward, Region::Step), ["loop: M, y"]);
    assert_eq!(cell.region(&cell.plan.forward, Region::After), Vec::<String>::new());
    let backward = cell.region(&cell.plan.backward, Region::Step);
    assert!(matches!(&backward[..], [only] if only.starts_with("loop: ")), "{backward:?}");
}
