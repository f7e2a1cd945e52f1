//! Tests of blocks against the whole matrix.

use alloc::string::String;
use alloc::vec::Vec;

use super::*;

type M<const R: usize, const C: usize> = SMatrix<f64, R, C>;
/// `[2 + 3, 1 + 2 + 1]`
type Blocks = Rows<Cols<M<2, 1>, Cols<M<2, 2>, M<2, 1>>>, Cols<M<3, 1>, Cols<M<3, 2>, M<3, 1>>>>;

fn numbered() -> Blocks {
    Blocks::from_fn(|row, column| (10 * row + column) as f64)
}

#[test]
fn entries_are_those_of_the_whole_matrix() {
    let blocks = numbered();
    assert_eq!(blocks.shape(), (5, 4));
    assert_eq!(blocks.bottom.right.left, M::<3, 2>::new(21.0, 22.0, 31.0, 32.0, 41.0, 42.0));
    assert_eq!(blocks.top.right.right, M::<2, 1>::new(3.0, 13.0));
    assert_eq!(blocks[(4, 3)], 43.0);
    assert_eq!(blocks.get((5, 0)), None);
    assert_eq!(blocks.get((0, 4)), None);
    let mut changed = blocks;
    changed[(3, 2)] = -1.0;
    assert_eq!(changed.bottom.right.left[(1, 1)], -1.0);
    *changed.get_mut((3, 2)).unwrap() = 32.0;
    assert_eq!(changed, blocks);
}

#[test]
#[should_panic(expected = "entry (1, 4) of a 5 x 4 matrix")]
fn indexing_outside_the_matrix_panics() {
    let _ = numbered()[(1, 4)];
}

#[test]
fn conversions_are_inverses() {
    let matrix = M::<5, 4>::from_fn(|row, column| (10 * row + column) as f64);
    assert_eq!(numbered().to_matrix::<5, 4>(), matrix);
    assert_eq!(Blocks::from_matrix(&matrix), numbered());
    assert_eq!(Blocks::default().to_matrix::<5, 4>(), M::<5, 4>::zeros());
    let inferred = numbered().concat();
    assert_eq!(inferred, matrix);
    let column = Rows {
        top: M::<2, 1>::new(1.0, 2.0),
        bottom: Rows { top: M::<1, 1>::new(3.0), bottom: M::<1, 1>::new(4.0) },
    };
    assert_eq!(column.concat(), nalgebra::Vector4::new(1.0, 2.0, 3.0, 4.0));
}

#[test]
fn blocks_are_visited_in_order_with_their_positions() {
    let mut blocks = numbered();
    let mut seen: Vec<(String, BlockShape, Vec<f64>)> = Vec::new();
    blocks.visit_named("W", &mut |p| seen.push((p.name.into(), p.shape, p.values.to_vec())));
    let places: Vec<_> = seen.iter().map(|(_, shape, _)| (shape.at, shape.size)).collect();
    let expected = [
        ((0, 0), (2, 1)),
        ((0, 1), (2, 2)),
        ((0, 3), (2, 1)),
        ((2, 0), (3, 1)),
        ((2, 1), (3, 2)),
        ((2, 3), (3, 1)),
    ];
    assert_eq!(places, expected);
    assert!(seen.iter().all(|(name, shape, _)| name == "W" && shape.whole == (5, 4)));
    assert_eq!(seen[1].2, [1.0, 11.0, 2.0, 12.0]);
    blocks.visit_named_mut("W", &mut |p| p.values.iter_mut().for_each(|x| *x = -*x));
    assert_eq!(blocks.to_matrix::<5, 4>(), -numbered().to_matrix::<5, 4>());
}

#[test]
fn a_scalar_and_a_matrix_are_blocks() {
    fn whole<P: Block<Scalar = f64>>(mut parameter: P) -> (usize, usize, f64) {
        parameter.fill_with_value(2.0);
        let mut sum = 0.0;
        parameter.visit_named("p", &mut |p| sum += p.values.iter().sum::<f64>());
        (P::ROWS, P::COLUMNS, sum)
    }
    assert_eq!(whole(0.0_f64), (1, 1, 2.0));
    assert_eq!(whole(M::<3, 2>::zeros()), (3, 2, 12.0));
    assert_eq!(Block::entry(&1.0_f64, At { head: 0, row: 0, column: 1 }), None);
}
