//! User-defined mappings.

use crate::{Tensor, bits, file, randomise, tensors};
use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::weights::{Family, Mapping, Reader, load, matrix, part, plus, save, scalar, torch, vector};

rnn_cell! {
    /// A peephole LSTM whose matrices multiply `[h, x]`.
    pub cell Peephole<I, H> {
        input  x: [I];
        state  h, c: [H];
        param  W_i, W_f, W_g, W_o: [H, H + I];
        param  b_i, b_f, b_g, b_o: [H];
        param  p_i, p_f, p_o: [H];

        i = sigmoid(W_i @ [h[t-1], x] + p_i * c[t-1] + b_i);
        f = sigmoid(W_f @ [h[t-1], x] + p_f * c[t-1] + b_f);
        g = tanh(W_g @ [h[t-1], x] + b_g);
        c = f * c[t-1] + i * g;
        o = sigmoid(W_o @ [h[t-1], x] + p_o * c + b_o);
        h = o * tanh(c);

        output h;
    }

    /// A cell with parameters of every kind: a scalar, a row, a buffer, a matrix of four blocks.
    pub cell Kinds<I, H> {
        input  x: [I];
        state  h: [H];
        param  W: [2*H, H + I];
        param  row: [1, H];
        param  scale: [];
        buffer leak: [H] = 0.5;

        [a, b] = W @ [h[t-1], x];
        h = leak * h[t-1] + scale * tanh(a) * sigmoid(b) + row.T * h[t-1];

        output h;
    }
}

/// Returns a mapping from PyTorch's two matrices, two biases and three peepholes to [`Peephole`].
fn peephole<const H: usize>() -> Mapping {
    let gates = ["W_i", "W_f", "W_g", "W_o"];
    let biases = ["b_i", "b_f", "b_g", "b_o"];
    Mapping::new()
        .with(matrix("weight_hh").stack(gates.map(|gate| part(gate).columns(..H))))
        .with(matrix("weight_ih").stack(gates.map(|gate| part(gate).columns(H..))))
        .with(vector("bias_ih").stack(biases))
        .with(vector("bias_hh").stack(biases.map(plus)))
        .with(matrix("peepholes").transposed().stack(["p_i"]).stack(["p_f"]).stack(["p_o"]))
}

#[test]
fn a_peephole_cell_both_ways() {
    const H: usize = 2;
    let numbers = |from: u32, count: u32| (from..from + count).map(f64::from).collect::<Vec<_>>();
    let hh = Tensor::f64("weight_hh", &[4 * H, H], &numbers(100, 16));
    let ih = Tensor::f64("weight_ih", &[4 * H, 1], &numbers(200, 8));
    let bias_ih = Tensor::f64("bias_ih", &[4 * H], &numbers(300, 8));
    let bias_hh = Tensor::f64("bias_hh", &[4 * H], &numbers(1000, 8));
    let peepholes = Tensor::f64("peepholes", &[3, H], &numbers(400, 6));
    let mut cell = Peephole::<1, H, f64>::zeros();
    let mapping = peephole::<H>();
    let original = [hh, ih, bias_ih, bias_hh, peepholes];
    mapping.load(&mut cell, &file(&original)).unwrap();

    // The forget gate is in rows 2 and 3 of the matrices.
    assert_eq!(
        cell.W_f.to_matrix::<2, 3>(),
        SMatrix::<f64, 2, 3>::new(104.0, 105.0, 202.0, 106.0, 107.0, 203.0)
    );
    assert_eq!(cell.b_f, SVector::<f64, 2>::new(302.0 + 1002.0, 303.0 + 1003.0));
    assert_eq!(cell.p_o, SVector::<f64, 2>::new(404.0, 405.0));

    let saved = tensors(&mapping.save(&cell).unwrap());
    let sums: Vec<f64> = numbers(300, 8).iter().zip(numbers(1000, 8)).map(|(a, b)| a + b).collect();
    let mut wanted = original.to_vec();
    wanted[2] = Tensor::f64("bias_ih", &[8], &sums);
    wanted[3] = Tensor::f64("bias_hh", &[8], &[0.0; 8]);
    wanted.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(saved, wanted);
}

/// A file that holds the gates in rows of one matrix, with a coupled gate that is one minus the
/// cell's.
#[test]
fn negated_parts_rows_and_prefixes() {
    let negated = |name: &str| part(name).negated();
    let one = Mapping::new()
        .with(matrix("top").stack([part("W").rows(..2)]))
        .with(matrix("bottom").stack([part("W").rows(2..=2), part("W").rows(3..).negated()]))
        .with(matrix("row").stack([negated("row")]))
        .with(scalar("scale").stack(["scale"]))
        .with(vector("leak").stack(["leak"]));
    let mapping = one.clone().prefix("a.").under(0).and(one.prefix("b.").under("1")).ignoring("step");
    let mut net = Stack(Kinds::<3, 2>::zeros(), Kinds::<2, 2>::zeros());
    randomise(&mut net, 3);
    let mut saved = tensors(&mapping.save(&net).unwrap());
    saved.push(Tensor { dtype: "I64".into(), ..Tensor::f64("step_count", &[1], &[3.0]) });
    let bottom = saved.iter().find(|tensor| tensor.name == "a.bottom").unwrap();
    assert_eq!((bottom.shape.as_slice(), bottom.values()[0]), (&[2, 5][..], f64::from(net.0.W[(2, 0)])));
    assert_eq!(bottom.values()[9], -f64::from(net.0.W[(3, 4)]));

    let mut copy = Stack(Kinds::<3, 2>::zeros(), Kinds::<2, 2>::zeros());
    mapping.load(&mut copy, &file(&saved)).unwrap();
    assert_eq!(bits(&copy), bits(&net));
}

#[test]
fn files_by_name() {
    let mut cell = Kinds::<3, 2, f64>::zeros();
    randomise(&mut cell, 4);
    let saved = tensors(&save(&cell).unwrap());
    let shapes: Vec<_> = saved.iter().map(|t| (t.name.as_str(), t.dtype.as_str(), t.shape.clone())).collect();
    let wanted = [("W", vec![4, 5]), ("leak", vec![2]), ("row", vec![1, 2]), ("scale", vec![])]
        .map(|(n, s)| (n, "F64", s));
    assert_eq!(shapes, wanted);
    // The file is row-major, independently of the blocks.
    let whole = cell.W.to_matrix::<4, 5>();
    assert_eq!(saved[0].values(), whole.transpose().as_slice());

    let mut copy = Kinds::<3, 2, f64>::zeros();
    load(&mut copy, &file(&saved)).unwrap();
    assert_eq!(bits(&copy), bits(&cell));
}

/// Files of both precisions can be loaded into cells of both precisions.
#[test]
fn precisions() {
    let mut double = Lstm::<3, 4, f64>::zeros();
    randomise(&mut double, 5);
    let mut single = Lstm::<3, 4>::zeros();
    load(&mut single, &save(&double).unwrap()).unwrap();
    let rounded: Vec<u64> =
        bits(&double).iter().map(|&bits| f64::from(f64::from_bits(bits) as f32).to_bits()).collect();
    assert_eq!(bits(&single), rounded, "loading rounds to nearest");
    load(&mut double, &save(&single).unwrap()).unwrap();
    assert_eq!(bits(&double), rounded, "loading is exact");
}

/// Files of `model.half()` and `model.bfloat16()` are read exactly. A cell saves its own precision.
#[test]
fn half_precision() {
    let tensor = |name: &str, dtype: &str, shape: &[usize], values: &[u16]| Tensor {
        name: name.into(),
        dtype: dtype.into(),
        shape: shape.into(),
        bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    };
    let bytes = file(&[
        tensor("W", "F16", &[2, 2], &[0x3c00, 0xb555, 0x0001, 0xfbff]),
        tensor("b", "BF16", &[2], &[0x3f81, 0xff7f]),
    ]);
    let mut dense = Dense::<2, 2>::zeros();
    load(&mut dense, &bytes).unwrap();
    let power = |exponent| 2f32.powi(exponent);
    assert_eq!(dense.W.transpose().as_slice(), [1.0, -1365.0 * power(-12), power(-24), -65504.0]);
    assert_eq!(dense.b.as_slice(), [1.0 + power(-7), -255.0 * power(120)]);
    assert!(tensors(&save(&dense).unwrap()).iter().all(|tensor| tensor.dtype == "F32"));
    let infinite =
        file(&[tensor("W", "F16", &[2, 2], &[0, 0x7c00, 0, 0]), tensor("b", "BF16", &[2], &[0; 2])]);
    let error = load(&mut dense, &infinite).unwrap_err().to_string();
    assert_eq!(error, "weights not loaded: `W` is inf at [0, 1]");
}

/// The rank of a tensor is that of the declaration, whatever the sizes. Files without axes of size
/// 1 still load.
#[test]
fn the_rank_is_declared() {
    let shapes = |bytes: &[u8]| tensors(bytes).into_iter().map(|tensor| tensor.shape).collect::<Vec<_>>();
    let mut one = Dense::<1, 1>::zeros();
    randomise(&mut one, 1);
    assert_eq!(shapes(&save(&one).unwrap()), [vec![1, 1], vec![1]]);
    let mut column = Kinds::<0, 1>::zeros();
    randomise(&mut column, 2);
    assert_eq!(shapes(&save(&column).unwrap()), [vec![2, 1], vec![1], vec![1, 1], vec![]]);

    let earlier = |cell: Vec<Tensor>, ranks: &[usize]| {
        let tensors = cell.into_iter().zip(ranks);
        file(&tensors.map(|(t, rank)| Tensor { shape: t.shape[..*rank].to_vec(), ..t }).collect::<Vec<_>>())
    };
    let mut copy = Dense::<1, 1>::zeros();
    load(&mut copy, &earlier(tensors(&save(&one).unwrap()), &[0, 0])).unwrap();
    assert_eq!(bits(&copy), bits(&one));
    let mut copy = Kinds::<0, 1>::zeros();
    load(&mut copy, &earlier(tensors(&save(&column).unwrap()), &[1, 0, 0, 0])).unwrap();
    assert_eq!(bits(&copy), bits(&column));

    // Only axes of size 1 at the end may be missing.
    let bytes = file(&[Tensor::f32("W", &[2], &[0.0; 2]), Tensor::f32("b", &[2, 1], &[0.0; 2])]);
    let error = load(&mut Dense::<1, 2>::zeros(), &bytes).unwrap_err().to_string();
    assert_eq!(error, "weights not loaded: `b` is [2, 1] in the file, [2] in the cell");
    let bytes = file(&[Tensor::f32("W", &[2], &[0.0; 2]), Tensor::f32("b", &[1], &[0.0])]);
    let error = load(&mut Dense::<2, 1>::zeros(), &bytes).unwrap_err().to_string();
    assert!(error.starts_with("weights not loaded: `W` is [2] in the file, [1, 2] in the cell"), "{error}");
}

fn readout<const H: usize>() -> Stack<Lstm<1, H>, Dense<H, 1>> {
    Stack(Lstm::zeros(), Dense::zeros())
}

/// A family of safetensors files: the shapes in the file choose the model.
#[test]
fn a_family_by_the_shapes_of_a_file() {
    let mut net = readout::<5>();
    randomise(&mut net, 7);
    let torch = torch::lstm().prefix("lstm.").under(0).and(torch::linear().prefix("head.").under(1));
    let torch = torch.ignoring("epoch");
    let mut of_torch = tensors(&torch.save(&net).unwrap());
    of_torch.push(Tensor { dtype: "I64".into(), ..Tensor::f64("epoch", &[1], &[3.0]) });
    let (ours, of_torch) = (save(&net).unwrap(), file(&of_torch));
    let x = SVector::<f32, 1>::new(0.5);
    let wanted = net.step(&x, &mut net.initial_state());
    let files = [Reader::new(&ours).unwrap(), Reader::new(&of_torch).unwrap().by(torch)];
    for file in &files {
        let mut found = Family::of(file).or(readout::<4>).or(readout::<5>).or(readout::<6>).load().unwrap();
        assert_eq!(found.step(&x), wanted);
    }
    let error = |file: &Reader| Family::of(file).or(readout::<4>).load().err().unwrap().to_string();
    assert_eq!(
        error(&files[0]),
        "weights not loaded: the file's model is 0: 4 x [5], 4 x [5, 1], 4 x [5, 5]; 1: 1 x [1], 1 x [1, 5], \
         and the family to choose from has `0: 4 x [4], 4 x [4, 1], 4 x [4, 4]; 1: 1 x [1], 1 x [1, 4]`\n  \
         help: add a model of that size to the family"
    );
    assert!(
        error(&files[1]).contains("is head: 1 x [1], 1 x [1, 5]; lstm: 2 x [20], 1 x [20, 1], 1 x [20, 5], ")
    );
}
