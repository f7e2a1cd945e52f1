//! One test per simplification.

use super::{N, ONE, S, leaf, op, read};
use crate::dim::{Atom, Dim};
use crate::graph::ir::{Binary, BlockShape, Comparison, Graph, Level, Op, Piece, Unary};
use crate::graph::simplify::rebuild;

#[test]
fn arithmetic_on_numbers() {
    let mut g = Graph::default();
    let (two, three) = (g.constant(2.0), g.constant(3.0));
    let folded = [
        (g.add(two, three), 5.0),
        (g.sub(two, three), -1.0),
        (g.mul(two, three), 6.0),
        (g.div(three, two), 1.5),
        (g.binary(Binary::Pow, two, three), 8.0),
        (g.binary(Binary::Min, two, three), 2.0),
        (g.binary(Binary::Max, two, three), 3.0),
        (g.neg(two), -2.0),
        (g.unary(Unary::Sqrt, two), 2f64.sqrt()),
        (g.size(Dim::sum([Atom::Literal(7)])), 7.0),
    ];
    for (id, value) in folded {
        assert_eq!(g.number(id), Some(value));
    }
}

#[test]
fn neutral_elements() {
    let mut g = Graph::default();
    let x = leaf(&mut g, 0, N, ONE);
    let (zero, one, minus_one) = (g.constant(0.0), g.constant(1.0), g.constant(-1.0));
    let minus_x = g.neg(x);
    assert_eq!([g.add(x, zero), g.add(zero, x), g.sub(x, zero)], [x; 3]);
    assert_eq!([g.mul(x, one), g.mul(one, x), g.div(x, one)], [x; 3]);
    assert_eq!([g.mul(x, minus_one), g.mul(minus_one, x), g.sub(zero, x)], [minus_x; 3]);
    assert_eq!(g.len(), 5);
}

#[test]
fn powers() {
    let mut g = Graph::default();
    let x = leaf(&mut g, 0, N, ONE);
    let mut power = |exponent: f64| {
        let exponent = g.constant(exponent);
        let id = g.binary(Binary::Pow, x, exponent);
        (id, op(&g, id).clone())
    };
    assert_eq!(power(1.0).0, x);
    assert_eq!(power(2.0).1, Op::Binary(Binary::Mul));
    assert_eq!(power(3.0).1, Op::Binary(Binary::Mul));
    assert_eq!(power(0.5).1, Op::Unary(Unary::Sqrt));
    assert_eq!(power(-1.0).1, Op::Unary(Unary::Recip));
    assert_eq!(power(2.5).1, Op::Binary(Binary::Pow));
}

#[test]
fn signs() {
    let mut g = Graph::default();
    let (a, b) = (leaf(&mut g, 0, N, ONE), leaf(&mut g, 1, N, ONE));
    let (minus_a, minus_b) = (g.neg(a), g.neg(b));
    let (sum, difference, reverse) = (g.add(a, b), g.sub(a, b), g.sub(b, a));
    assert_eq!(g.neg(minus_a), a);
    assert_eq!(g.neg(difference), reverse);
    assert_eq!(g.add(a, minus_b), difference);
    assert_eq!(g.add(minus_a, b), reverse);
    assert_eq!(g.sub(a, minus_b), sum);
}

/// `-(s - v)` of a scalar and a vector can be reversed too, but must keep the shape of the vector.
#[test]
fn signs_keep_the_shape() {
    let mut g = Graph::default();
    let (scalar, vector) = (leaf(&mut g, 0, ONE, ONE), leaf(&mut g, 1, N, ONE));
    let difference = g.sub(scalar, vector);
    let reversed = g.neg(difference);
    assert_eq!(g[reversed].shape, BlockShape::new(N, ONE));
}

#[test]
fn equal_nodes_are_one() {
    let mut g = Graph::default();
    let (a, b) = (leaf(&mut g, 0, N, ONE), leaf(&mut g, 1, N, ONE));
    let (first, second) = (g.mul(a, b), g.mul(a, b));
    assert_eq!(first, second);
    assert_eq!(g.unary(Unary::Tanh, first), g.unary(Unary::Tanh, second));
}

#[test]
fn transpositions_go_into_products() {
    let mut g = Graph::default();
    let (a, b) = (leaf(&mut g, 0, S, N), leaf(&mut g, 1, N, S));
    let (a_t, b_t) = (g.transpose(a), g.transpose(b));
    assert_eq!(g.transpose(a_t), a);
    let product = g.matmul(false, false, a_t, b_t);
    assert_eq!(*op(&g, product), Op::MatMul { ta: true, tb: true });
    assert_eq!(g[product].args, [a, b]);
    let plain = g.matmul(true, false, a_t, b);
    assert_eq!(
        (op(&g, plain), g[plain].args.as_slice()),
        (&Op::MatMul { ta: false, tb: false }, &[a, b][..])
    );
}

#[test]
fn rows_are_vectors() {
    let mut g = Graph::default();
    let row = leaf(&mut g, 0, ONE, S);
    assert_eq!(g[g.storage(row)].shape, BlockShape::new(S, ONE));
    let double = g.add(row, row);
    assert_eq!(g[double].shape, BlockShape::new(ONE, S));
    assert_eq!(*op(&g, double), Op::Reshape);
    let vector = leaf(&mut g, 0, S, ONE);
    assert_eq!(g.transpose(row), vector);
    assert_eq!(g.transpose(vector), row);
}

#[test]
fn rows_times_matrices_are_products_with_vectors() {
    let mut g = Graph::default();
    let vector = leaf(&mut g, 0, N, ONE);
    let matrix = g.read(Piece { of: 1, row: 0, column: 0 }, BlockShape::new(N, S), Level::Param);
    let row = g.transpose(vector);
    let product = g.matmul(false, false, row, matrix);
    let inner = g.storage(product);
    assert_eq!(
        (op(&g, inner), g[inner].args.as_slice()),
        (&Op::MatMul { ta: true, tb: false }, &[matrix, vector][..])
    );
    assert_eq!(g[product].shape, BlockShape::new(ONE, S));
}

#[test]
fn outer_products_are_element_wise() {
    let mut g = Graph::default();
    let (u, v, k) = (leaf(&mut g, 0, N, ONE), leaf(&mut g, 1, S, ONE), leaf(&mut g, 2, ONE, ONE));
    let outer = g.matmul(false, true, u, v);
    assert_eq!(*op(&g, outer), Op::Binary(Binary::Mul));
    assert_eq!(g[outer].shape, BlockShape::new(N, S));
    let scaled = g.matmul(false, false, u, k);
    assert_eq!(*op(&g, scaled), Op::Binary(Binary::Mul));
    assert_eq!(g[scaled].shape, BlockShape::new(N, ONE));
}

#[test]
fn sums_of_products() {
    let mut g = Graph::default();
    let (u, v) = (leaf(&mut g, 0, N, ONE), leaf(&mut g, 1, N, ONE));
    let product = g.mul(u, v);
    let inner = g.matmul(true, false, u, v);
    assert_eq!((op(&g, inner), g[inner].args.as_slice()), (&Op::Sum, &[product][..]));
    assert_eq!(g.sum(product), inner);

    // The sum is a matrix product if the matrix is the same for all steps. Otherwise the loop that
    // computes the entries sums them.
    for (level, is_product) in [(Level::Param, true), (Level::Context, true), (Level::Time, false)] {
        let piece = Piece { of: 2, row: 0, column: 0 };
        let matrix = g.read(piece, BlockShape::new(N, S), level);
        let row = leaf(&mut g, 3, ONE, S);
        let (by_columns, by_rows) = (g.mul(matrix, row), g.mul(matrix, u));
        let (row_sums, column_sums) = (g.row_sum(by_columns), g.column_sum(by_rows));
        assert_eq!(g[row_sums].shape, BlockShape::new(N, ONE));
        assert_eq!(g[column_sums].shape, BlockShape::new(ONE, S));
        let vector = g.storage(row);
        let transposed = g.matmul(true, false, matrix, u);
        // The matrix may be either factor.
        let swapped = g.mul(row, matrix);
        assert_eq!(g.row_sum(swapped) == row_sums, is_product);
        for (sums, product, right, sum) in [
            (row_sums, g.matmul(false, false, matrix, vector), [matrix, vector], Op::RowSum),
            (g.storage(column_sums), g.storage(transposed), [matrix, u], Op::ColumnSum),
        ] {
            assert_eq!(sums, product);
            if is_product {
                assert_eq!((matches!(op(&g, sums), Op::MatMul { .. }), &g[sums].args[..]), (true, &right[..]))
            } else {
                assert_eq!(*op(&g, sums), sum)
            }
        }
    }
}

#[test]
fn sums_of_one_entry() {
    let mut g = Graph::default();
    let (k, v, row) = (leaf(&mut g, 0, ONE, ONE), leaf(&mut g, 1, N, ONE), leaf(&mut g, 2, ONE, S));
    assert_eq!([g.sum(k), g.row_sum(k), g.column_sum(k), g.maximum(k)], [k; 4]);
    assert_eq!([g.row_sum(v), g.column_sum(row)], [v, row]);
    // The sum of a row is the sum of the vector that shares its memory.
    let vector = g.storage(row);
    assert_eq!(g.row_sum(row), g.sum(vector));
}

#[test]
fn redundant_broadcasts_are_dropped() {
    let mut g = Graph::default();
    let (k, v, w) = (leaf(&mut g, 0, ONE, ONE), leaf(&mut g, 1, N, ONE), leaf(&mut g, 2, N, ONE));
    let wide = g.expand(k, BlockShape::new(N, ONE));
    assert_eq!(*op(&g, wide), Op::Expand);
    let product = g.mul(wide, v);
    assert_eq!(g[product].args, [k, v]);
    assert_eq!(g.expand(v, BlockShape::new(N, ONE)), v);
    // One of two broadcasts has to remain.
    let other = g.expand(k, BlockShape::new(N, ONE));
    let both = g.add(wide, other);
    assert_eq!(g[both].shape, BlockShape::new(N, ONE));
    assert!(g[both].args.contains(&wide));
    let select = g.select(Comparison::Less, &[wide, v, wide, w]);
    assert_eq!(g[select].args, [k, v, k, w]);
}

#[test]
fn gradients_of_weights_are_products() {
    let mut g = Graph::default();
    let (z_bar, h) = (leaf(&mut g, 0, N, ONE), leaf(&mut g, 1, S, ONE));
    let outer = g.matmul(false, true, z_bar, h);
    let total = g.accumulate(outer, Level::Param);
    assert_eq!((op(&g, total), g[total].level), (&Op::Accumulate, Level::Param));
    let product = g[total].args[0];
    assert_eq!(
        (op(&g, product), g[product].args.as_slice()),
        (&Op::MatMul { ta: false, tb: true }, &[z_bar, h][..])
    );
    // A vector times a scalar contains no outer product: its loop adds it up.
    let k = leaf(&mut g, 3, ONE, ONE);
    let scaled = g.mul(z_bar, k);
    let total = g.accumulate(scaled, Level::Param);
    assert_eq!(g[total].args, [scaled]);
    // Values that do not vary over time are not summed.
    let fixed = read(&mut g, 2, N, ONE, Level::Param);
    assert_eq!(g.accumulate(fixed, Level::Param), fixed);
}

#[test]
fn rebuilding_drops_unused_nodes() {
    let mut g = Graph::default();
    let (a, b) = (leaf(&mut g, 0, N, ONE), leaf(&mut g, 1, N, ONE));
    let stopped = g.stop_gradient(a);
    let mut sum = g.add(stopped, b);
    g.suggest_name(sum, "s");
    let _unused = g.unary(Unary::Tanh, b);
    let rebuilt = rebuild(&g, &mut [&mut sum]);
    assert_eq!(rebuilt.len(), 3);
    assert_eq!(*op(&rebuilt, sum), Op::Binary(Binary::Add));
    assert_eq!(rebuilt[sum].name.as_deref(), Some("s"));
}

/// Removing `stop_gradient` can expose a simplification.
#[test]
fn rebuilding_simplifies_again() {
    let mut g = Graph::default();
    let (u, v) = (leaf(&mut g, 0, N, ONE), leaf(&mut g, 1, N, ONE));
    let minus = g.neg(v);
    let stopped = g.stop_gradient(minus);
    let mut sum = g.add(u, stopped);
    let rebuilt = rebuild(&g, &mut [&mut sum]);
    assert_eq!(*op(&rebuilt, sum), Op::Binary(Binary::Sub));
    assert!(rebuilt.ids().all(|id| *op(&rebuilt, id) != Op::Unary(Unary::Neg)));
}

#[test]
fn rebuilding_cancels_double_negation_and_transposition() {
    let mut g = Graph::default();
    let (v, m) = (leaf(&mut g, 0, N, ONE), read(&mut g, 1, N, S, Level::Param));
    let (minus, transposed) = (g.neg(v), g.transpose(m));
    let [stopped_minus, stopped_transposed] = [minus, transposed].map(|id| g.stop_gradient(id));
    let mut there_and_back = [g.neg(stopped_minus), g.transpose(stopped_transposed)];
    let mut product = g.matmul(false, false, stopped_transposed, v);
    let [first, second] = &mut there_and_back;
    let rebuilt = rebuild(&g, &mut [first, second, &mut product]);
    for (id, of) in there_and_back.into_iter().zip([0, 1]) {
        assert_eq!(*op(&rebuilt, id), Op::Read(Piece { of, row: 0, column: 0 }));
    }
    assert_eq!(*op(&rebuilt, product), Op::MatMul { ta: true, tb: false });
}
