//! Networks of the library's cells, compared with those of `torch.nn`: stacks, bidirectional
//! layers, a packed batch. Each runs with the weights that PyTorch saved as safetensors. A network
//! of RWKV-7 is compared with its authors' package.

use nalgebra::SMatrix;
use rnn_cell::cell::BlockShape;
use rnn_cell::cells::{Elman, GruResetAfter, Lstm, Rwkv7FirstLayer, Rwkv7Layer, Rwkv7Readout};
use rnn_cell::prelude::*;
use rnn_cell::weights::Mapping;
use rnn_cell::weights::torch;
use tests::golden::{self, Case, Comparison, from_scalars, inner_product, scalars};

/// The names of the cases, with the functions that run them.
pub const CASES: [(&str, crate::Run); 7] = [
    ("torch_lstm_2layer_bidirectional_packed", lstm_2layer_bidirectional_packed),
    ("torch_gru_3layer", gru_3layer),
    ("torch_rnn_tanh_bidirectional", rnn_tanh_bidirectional),
    ("torch_nn_lstm_f64", saved_lstm),
    ("torch_nn_gru_f64", saved_gru),
    ("rwkv7_network at batch 1", rwkv7::<1>),
    ("rwkv7_network at batch 4", rwkv7::<B>),
];

const B: usize = 4;

fn lstm_2layer_bidirectional_packed() -> Comparison {
    let first = Bidirectional::new(Lstm::<3, 5, f64>::zeros(), Lstm::<3, 5, f64>::zeros());
    let second = Bidirectional::new(Lstm::<10, 5, f64>::zeros(), Lstm::<10, 5, f64>::zeros());
    let net = Stack(first.joined(Concat::<10>), second.joined(Concat::<10>));
    let names = Names { case: CASES[0].0, gates: "ifgo", states: &["h", "c"], leaves: 4 };
    check(net, &names, &torch::bidirectional(torch::lstm(), 2)).1
}

fn gru_3layer() -> Comparison {
    let above = GruResetAfter::<5, 5, f64>::zeros;
    let net = Stack(Stack(GruResetAfter::<3, 5, f64>::zeros(), above()), above());
    let names = Names { case: CASES[1].0, gates: "rzn", states: &["h"], leaves: 3 };
    let (net, mut comparison) = check(net, &names, &torch::layers(torch::gru(), 3));
    let case = Case::open(names.case);
    let mut state = from_scalars(&names.state(&case, "initial_states"));
    for t in 0..7 {
        let y: SMatrix<f64, 5, B> = net.step(&from_scalars(case.array("x").step(t)), &mut state);
        comparison.compare_varying("output of step", &y, case.array("outputs").step(t));
    }
    comparison.compare_varying("final state of step", &state, &names.state(&case, "final_states"));
    comparison
}

fn rnn_tanh_bidirectional() -> Comparison {
    let net = Bidirectional::new(Elman::<3, 5, f64>::zeros(), Elman::<3, 5, f64>::zeros());
    let names = Names { case: CASES[2].0, gates: "", states: &["h"], leaves: 2 };
    check(net.joined(Concat::<10>), &names, &torch::bidirectional(torch::rnn(), 1)).1
}

fn saved_lstm() -> Comparison {
    let mapping = torch::lstm();
    saved_cell(Lstm::<3, 5, f64>::zeros(), &mapping, CASES[3].0, "lstm", &["h", "c"])
}

fn saved_gru() -> Comparison {
    let mapping = torch::gru();
    saved_cell(GruResetAfter::<3, 5, f64>::zeros(), &mapping, CASES[4].0, "gru_torch", &["h"])
}

/// Three layers of RWKV-7 and a readout, which start from zero.
fn rwkv7<const B: usize>() -> Comparison {
    let later = Rwkv7Layer::<4, 3, 2, 2, 5, f64>::zeros;
    let layers = Rwkv7FirstLayer::<4, 3, 2, 2, 5, f64>::zeros().then(later()).then(later());
    let net = layers.then(Rwkv7Readout::<4, 3, 2, 3, f64>::zeros());
    let names = golden::Names {
        case: "rwkv7_network",
        parameter: |name| Some(name.replace('.', "_")),
        inputs: &["x"],
        states: &[],
        outputs: &["y"],
    };
    golden::check::<B, _>(net, &names)
}

/// Steps through the case of a single cell with the weights that PyTorch saved.
fn saved_cell<L>(mut cell: L, mapping: &Mapping, file: &str, case: &str, states: &[&str]) -> Comparison
where
    L: ModelMut + Cell<B, Scalar = f64, Context = ()>,
    L: Layer<B, Input = SMatrix<f64, 3, B>, Output = SMatrix<f64, 5, B>>,
{
    let case = Case::load(case, B);
    let mut comparison = Comparison::default();
    mapping.load_file(&mut cell, saved(file)).unwrap_or_else(|error| panic!("{error}"));
    let initial = states.iter().flat_map(|name| case.array(&format!("initial_states.{name}")).data);
    let mut state: L::State = from_scalars(&initial.collect::<Vec<_>>());
    let (x, wanted) = (case.array("inputs.x"), case.array("outputs.h"));
    for t in 0..x.shape[0] {
        let y = cell.step(&from_scalars(x.step(t)), &mut state);
        comparison.compare_varying("output of step", &y, wanted.step(t));
    }
    comparison
}

/// Returns the path of the file that PyTorch saved for a case.
fn saved(case: &str) -> String {
    format!("{}/golden/cases/{case}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

/// The mapping from a network's names and states to those of `torch.nn`.
struct Names {
    case: &'static str,
    /// The letters of the gates in the order in which PyTorch stacks their rows. Empty for a single
    /// block.
    gates: &'static str,
    states: &'static [&'static str],
    /// The number of cells in the network.
    leaves: usize,
}

impl Names {
    /// Returns the scalars of a state, cell by cell and field by field.
    fn state(&self, case: &Case, path: &str) -> Vec<f64> {
        let fields: Vec<_> = self.states.iter().map(|name| case.array(&format!("{path}.{name}"))).collect();
        (0..self.leaves)
            .flat_map(|leaf| fields.iter().flat_map(move |field| field.step(leaf).to_vec()))
            .collect()
    }

    /// Returns the parameters of PyTorch whose sum is the parameter `path`, and the number of its
    /// gate.
    fn torch(&self, path: &str) -> (Vec<String>, usize) {
        let (place, name) = path.rsplit_once('.').unwrap();
        let layer = place.split('.').find_map(|part| part.parse::<usize>().ok()).unwrap_or(0);
        let direction = if place.ends_with("reverse") { "_reverse" } else { "" };
        let (kind, gate) = name.split_once('_').unwrap_or((name, ""));
        let kinds: &[&str] = match (kind, gate) {
            ("W", _) => &["weight_ih"],
            ("U", _) => &["weight_hh"],
            // Only the candidate of a reset-after GRU has two biases.
            ("b", "n") => &["bias_ih"],
            ("b", "hn") => &["bias_hh"],
            ("b", _) => &["bias_ih", "bias_hh"],
            _ => panic!("PyTorch has no parameter for {path}"),
        };
        let gate = gate.trim_start_matches('h');
        let number = self.gates.find(gate).unwrap_or_else(|| panic!("PyTorch has no gate for {path}"));
        (kinds.iter().map(|kind| format!("{kind}_l{layer}{direction}")).collect(), number)
    }
}

/// Returns the rows of one gate in column-major order.
fn block(case: &Case, path: &str, gate: usize, shape: BlockShape) -> Vec<f64> {
    let (rows, columns) = shape.size;
    let array = case.array(path);
    assert_eq!(array.shape.get(1).copied().unwrap_or(1), columns, "{path}");
    (0..rows * columns).map(|k| array.data[(gate * rows + k % rows) * columns + k / rows]).collect()
}

/// Loads the weights that PyTorch saved and compares them with the case. Saves and loads them
/// again, in PyTorch's layout and in the library's.
fn load_saved<L: ModelMut<Scalar = f64>>(net: &mut L, mapping: &Mapping, case: &str) {
    fn values<L: Model<Scalar = f64>>(net: &L) -> Vec<f64> {
        let mut values = Vec::new();
        net.visit(&mut |parameter| values.extend(parameter.values));
        values
    }
    let set = values(net);
    let forget = |net: &mut L| net.visit_mut(&mut |parameter| parameter.values.fill(f64::INFINITY));
    forget(net);
    mapping.load_file(net, saved(case)).unwrap_or_else(|error| panic!("{error}"));
    // serde_json may round a decimal differently in the last bit.
    let loaded = values(net);
    let far = loaded.iter().zip(&set).filter(|(file, case)| (*file - *case).abs() > 1e-15);
    assert_eq!((loaded.len(), far.count()), (set.len(), 0), "{case}: the weights of the file");
    for mapping in [mapping, &Mapping::by_name(net)] {
        let bytes = mapping.save(net).unwrap();
        forget(net);
        mapping.load(net, &bytes).unwrap_or_else(|error| panic!("{error}"));
        assert!(values(net) == loaded, "{case}: the bits differ after saving and loading");
    }
}

fn check<L>(mut net: L, names: &Names, mapping: &Mapping) -> (L, Comparison)
where
    L: ModelMut + Layer<B, Scalar = f64, Context = ()>,
    L: Layer<B, Input = SMatrix<f64, 3, B>, InputBar = SMatrix<f64, 3, B>>,
{
    let case = Case::open(names.case);
    let mut comparison = Comparison::default();
    let mut used = Vec::new();
    net.visit_mut(&mut |parameter| {
        parameter.values.fill(0.0);
        let (torch, gate) = names.torch(parameter.name);
        for name in torch {
            let values = block(&case, &format!("params.{name}"), gate, parameter.shape);
            parameter.values.iter_mut().zip(values).for_each(|(to, value)| *to += value);
            used.push((name, gate));
        }
    });
    used.sort();
    used.dedup();
    let arrays = 4 * names.leaves * names.gates.len().max(1);
    assert_eq!(used.len(), arrays, "the network must use every block of PyTorch's parameters");
    load_saved(&mut net, mapping, names.case);

    let (x, wanted) = (case.array("x"), case.array("outputs"));
    let steps = x.shape[0];
    let lengths = case.at("lengths").as_array().expect("a list").iter();
    let lengths: Vec<usize> =
        lengths.map(|length| length.as_u64().expect("a whole number") as usize).collect();
    let lengths: [usize; B] = lengths.try_into().expect("one length per sample");
    let xs: Vec<L::Input> = (0..steps).map(|t| from_scalars(x.step(t))).collect();
    let ragged = lengths.iter().any(|&length| length < steps).then_some(lengths);
    let pass = Pass::of(&xs).lengths(ragged);
    let mut state: L::State = from_scalars(&names.state(&case, "initial_states"));
    let mut tape = net.tape();
    net.forward(pass, &mut state, &mut tape);
    comparison.compare_varying("final state", &state, &names.state(&case, "final_states"));
    let dfinal = names.state(&case, "cotangents.final_states");
    let mut loss = inner_product(&dfinal, &scalars(&state));
    let dys = case.array("cotangents.outputs");
    for (t, y) in net.outputs(&tape).iter().enumerate() {
        comparison.compare_varying("output", y, wanted.step(t));
        loss += inner_product(dys.step(t), &scalars(y));
    }
    comparison.compare("loss", &[loss], &[case.number("loss_value")]);

    let dys: Vec<L::Output> = (0..steps).map(|t| from_scalars(dys.step(t))).collect();
    let mut dstate: L::State = from_scalars(&dfinal);
    let mut gradients = net.zero_gradients();
    let mut dxs = vec![SMatrix::from_element(f64::NAN); steps];
    let bars = Bars::of(&mut gradients).state(&mut dstate).inputs(&mut dxs);
    net.backward(pass, &mut tape, &dys, bars);
    gradients.visit(&mut |parameter| {
        let (torch, gate) = names.torch(parameter.name);
        for name in torch {
            let want = block(&case, &format!("grads.params.{name}"), gate, parameter.shape);
            comparison.compare(&format!("gradient of {}", parameter.name), parameter.values, &want);
        }
    });
    let want = names.state(&case, "grads.initial_states");
    comparison.compare_varying("gradient of the initial state", &dstate, &want);
    let dxs: Vec<f64> = dxs.iter().flat_map(scalars).collect();
    comparison.compare("gradient of x", &dxs, &case.array("grads.x").data);
    (net, comparison)
}
