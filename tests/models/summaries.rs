//! Tables of models, compared with counts by hand.

use super::Pair;
use rnn_cell::cells::{Dense, Elman, Gru, LayerNormLstm, Lstm};
use rnn_cell::inspect::summary;
use rnn_cell::network::Sum;
use rnn_cell::prelude::*;

/// The counts of an Elman network of equal sizes by hand: two products with `2 n^2` operations, two
/// sums and tanh.
const ELMAN: usize = 2 * 2 * 2 + 2 * 2 * 2 + 3 * 2;
/// A product and a sum.
const DENSE: usize = 2 * 2 * 2 + 2;

/// Every network within a model without type parameters.
#[derive(Model)]
struct Every {
    stack: Stack<Stack<Elman<2, 2>, Dropout<Elman<2, 2>>>, Residual<Dense<2, 2>>>,
    both: Bidirectional<Elman<2, 2>, Elman<2, 2>>,
    grid: [[Dense<2, 2>; 2]; 2],
    list: Vec<Bidirectional<Elman<2, 2>, Elman<2, 2>, Sum>>,
    boxed: Box<Stack<Box<Zoneout<Elman<2, 2>>>, Dense<2, 2>>>,
    nested: [Nested; 1],
}

#[derive(Model)]
struct Nested(Elman<2, 2>);

fn every() -> Every {
    let both = || Bidirectional::new(Elman::zeros(), Elman::zeros());
    Every {
        stack: Stack::new(Elman::zeros(), Dropout::new(Elman::zeros(), 0.5))
            .then(Residual::new(Dense::zeros())),
        both: both(),
        grid: std::array::from_fn(|_| [Dense::zeros(), Dense::zeros()]),
        list: vec![both().joined(Sum), both().joined(Sum)],
        boxed: Box::new(Stack::new(Box::new(Zoneout::new(Elman::zeros())), Dense::zeros())),
        nested: [Nested(Elman::zeros())],
    }
}

#[test]
fn every_network_shows_its_layers_by_their_paths() {
    let model = every();
    let summary = summary(&model);
    let layers: Vec<(&str, Option<usize>)> =
        summary.layers.iter().map(|layer| (layer.path.as_str(), layer.flops)).collect();
    let (elman, dense) = (Some(ELMAN), Some(DENSE));
    let expected = [
        ("stack.0", elman),
        ("stack.1", elman),
        ("stack.2", dense),
        ("both.forward", elman),
        ("both.reverse", elman),
        ("grid.0.0", dense),
        ("grid.0.1", dense),
        ("grid.1.0", dense),
        ("grid.1.1", dense),
        ("list.0.forward", elman),
        ("list.0.reverse", elman),
        ("list.1.forward", elman),
        ("list.1.reverse", elman),
        ("boxed.0", elman),
        ("boxed.1", dense),
        ("nested.0.0", elman),
    ];
    assert_eq!(layers, expected);
    assert_eq!(summary.flops(), Some(10 * ELMAN + 6 * DENSE));
    assert_eq!(summary.parameter_count(), 10 * 10 + 6 * 6);
    assert_eq!(summary.bytes(), 4 * 136);
    assert_eq!(model.parameter_count(), summary.parameter_count());

    // The gradients have the same layers and parameters.
    let gradients = super::names(&*model.zero_gradients());
    assert_eq!(gradients, super::names(&model));
    assert_eq!(summary, rnn_cell::inspect::summary(&*model.zero_gradients()));
}

#[test]
fn the_table_of_a_derived_model() {
    let pair = Pair { first: Lstm::zeros(), second: Dense::zeros() };
    let text = summary(&pair).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "layer                     shape   parameters  operations");
    assert!(lines[1].starts_with("first   Lstm<3, 4") && lines[1].contains(" 128 "), "{text}");
    assert_eq!(lines[2], "        W_i               [4, 3]          12");
    assert!(lines[14].starts_with("second  Dense<4, 2"), "{text}");
    assert!(lines[14].ends_with(" 10          18"), "{text}");
    assert!(lines[17].starts_with("138 parameters, 1104 bytes in f64; "), "{text}");
    assert!(lines[17].ends_with(" operations per step and sample"), "{text}");
    assert_eq!(lines.len(), 18);
}

rnn_cell! {
    /// A leaky unit whose decay is not learned, with a parameter in blocks.
    cell Leaky<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, H + I];
        buffer leak: [] = 0.5;
        h = leak * tanh(W @ [h[t-1], x]);
        output h;
    }
}

#[test]
fn buffers_are_not_learned_and_blocks_are_one_parameter() {
    let summary = summary(&Leaky::<3, 2>::zeros());
    assert_eq!((summary.parameter_count(), summary.buffer_count(), summary.bytes()), (10, 1, 44));
    let [layer] = summary.layers.as_slice() else { panic!("{summary}") };
    let parameters: Vec<_> =
        layer.parameters.iter().map(|p| (p.name.as_str(), p.shape, p.is_learned)).collect();
    assert_eq!(parameters, [("W", (2, 5), true), ("leak", (1, 1), false)]);
    let text = summary.to_string();
    assert!(text.contains("  leak       []               1      buffer\n"), "{text}");
    assert!(text.contains("10 parameters and 1 numbers in buffers, 44 bytes in f32"), "{text}");
}

#[test]
fn text_of_cells_is_short() {
    let mut cell = Leaky::<3, 2>::zeros();
    cell.W.right[(1, 2)] = -2.5;
    cell.leak = 0.5;
    assert_eq!(format!("{cell:?}"), "Leaky<3, 2> { W: [2, 5] max 2.5, leak: [] max 0.5 }");
    assert_eq!(format!("{cell:#?}"), "Leaky<3, 2> {\n    W: [2, 5] max 2.5,\n    leak: [] max 0.5,\n}");
    let net = Stack::new(Dense::<2, 1>::zeros(), Dense::<1, 1>::zeros());
    assert_eq!(
        format!("{net:#?}"),
        "Stack(\n    Dense<2, 1> {\n        W: [1, 2] max 0,\n        b: [] max 0,\n    },\n    \
         Dense<1, 1> {\n        W: [] max 0,\n        b: [] max 0,\n    },\n)"
    );
    for (value, text) in
        [(1e-7, "1.00e-7"), (123456.0, "1.23e5"), (0.12345, "0.123"), (f32::NEG_INFINITY, "inf")]
    {
        cell.leak = value;
        assert!(format!("{cell:?}").ends_with(&format!("leak: [] max {text} }}")), "{cell:?}");
    }
}

#[test]
fn text_of_tapes_and_large_models_fits_on_a_page() {
    let mut rng = super::generator();
    let lstm = Stack::new(LayerNormLstm::<8, 64>::init(&mut rng), Gru::<64, 32>::init(&mut rng));
    let xs = vec![SVector::<f32, 8>::repeat(0.5); 50];
    let mut tape = lstm.tape();
    lstm.forward(&xs, &mut lstm.initial_state(), &mut tape);
    let (model, tape) = (format!("{lstm:?}"), format!("{tape:?}"));
    assert!(model.len() < 1500, "{model}");
    assert!(tape.len() < 6000 && tape.contains("steps: 50"), "{tape}");
    let small = lstm.1.quantised::<rnn_cell::quantised::Int8>().expect("finite weights");
    let text = format!("{small:?}");
    assert!(text.len() < 1500 && text.contains("Int8"), "{text}");
}
