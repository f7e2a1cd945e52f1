use super::*;
use crate::kernels::testing::{Random, both, product};

struct Kept<Q: Format, T> {
    size: (usize, usize),
    entries: Vec<Q::Entry>,
    scales: Vec<T>,
}

impl<Q: Format, T: Scalar> Kept<Q, T> {
    fn of(size: (usize, usize), numbers: &[T]) -> Self {
        let mut entries = vec![Q::Entry::default(); size.0 * size.1];
        let mut scales = vec![T::ZERO; Q::SCALES * size.0];
        assert!(narrow::<Q, T>(size, |r, c| numbers[r + c * size.0], &mut entries, &mut scales));
        Kept { size, entries, scales }
    }

    fn view(&self) -> Narrow<'_, Q, T> {
        Narrow { entries: &self.entries, scales: &self.scales }
    }

    fn numbers(&self) -> Vec<T> {
        let (rows, columns) = self.size;
        (0..rows * columns).map(|at| entry(self.size, self.view(), at % rows, at / rows)).collect()
    }
}

/// Checks two sums of two products each against the stored numbers in double precision.
#[inline(always)]
fn check<S: Isa, Q: Format, T: Scalar, const M: usize>(isa: S, k: [usize; 2], n: usize) {
    let mut random = Random::new((M * 10_000 + k[0] * 100 + n) as u64);
    let a: [[Kept<Q, T>; 2]; 2] = k.map(|k| [0, 1].map(|_| Kept::of((M, k), &random.scalars(M * k))));
    let x: [Vec<T>; 2] = k.map(|k| random.scalars(k * n));
    let old: [Vec<T>; 2] = [0, 1].map(|_| random.scalars(M * n));
    for accumulate in [false, true] {
        let mut y = if accumulate { old.clone() } else { [0, 1].map(|_| vec![T::NOT_A_NUMBER; M * n]) };
        let [y0, y1] = &mut y;
        let views = [0, 1].map(|p| [0, 1].map(|g| a[p][g].view()));
        narrow_products::<S, Q, T, M, 2, 2>(isa, views, [&x[0], &x[1]], [y0, y1], accumulate);
        for g in 0..2 {
            let start = if accumulate { old[g].clone() } else { vec![T::ZERO; M * n] };
            let first = product(M, k[0], n, &a[0][g].numbers(), &x[0], &start);
            let second = product(M, k[1], n, &a[1][g].numbers(), &x[1], &vec![T::ZERO; M * n]);
            let expected: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a + b).collect();
            // A sum of integers up to 127, times the scale, is as accurate as a sum of products.
            crate::kernels::testing::assert_near(&y[g], &expected, 2 * (k[0] + k[1]));
        }
    }
}

/// Each size is a separate function, because a single function with all sizes takes minutes to
/// compile.
macro_rules! products {
    ($($format:ident $scalar:ident $rows:literal),* $(,)?) => {$(
        both!(isa => {
            for (k, n) in [([1, 5], 1), ([2, 8], 3), ([7, 33], 4), ([16, 1], 9)] {
                check::<_, $format, $scalar, $rows>(isa, k, n);
            }
        });
    )*};
}

#[test]
fn products_of_bytes() {
    products!(Int8 f32 1, Int8 f32 7, Int8 f32 20, Int8 f32 79, Int8 f32 207, Int8 f64 3, Int8 f64 100);
}

#[test]
fn products_of_halves() {
    products!(Bf16 f32 1, Bf16 f32 7, Bf16 f32 20, Bf16 f32 79, Bf16 f32 207, Bf16 f64 3, Bf16 f64 100);
}

#[test]
fn every_entry_has_its_own_position() {
    fn check<Q: Format>() {
        for rows in [1, 15, 16, 64, 79, 80, 130, 144, 200, 513] {
            for columns in [1, 2, 5] {
                let mut places: Vec<usize> =
                    (0..rows * columns).map(|at| place::<Q>((rows, columns), at % rows, at / rows)).collect();
                places.sort_unstable();
                assert!(places.into_iter().eq(0..rows * columns), "{rows} x {columns}");
            }
        }
    }
    check::<Int8>();
    check::<Bf16>();
}

#[test]
fn columns_are_gathered() {
    let numbers: Vec<f32> = Random::new(1).scalars(70 * 9);
    let kept = Kept::<Int8, f32>::of((70, 9), &numbers);
    let mut y = vec![1.0; 70 * 3];
    narrow_gather::<Int8, f32, 70>(kept.view(), &[5, 11, 3], 3, &mut y, true);
    let stored = kept.numbers();
    for r in 0..70 {
        let expected = [1.0 + stored[r + 2 * 70], 1.0 + stored[r + 8 * 70], 1.0 + stored[r]];
        assert_eq!([y[r], y[r + 70], y[r + 140]], expected);
    }
    narrow_gather::<Int8, f32, 70>(kept.view(), &[2, 12, u32::MAX], 3, &mut y, false);
    assert!(y.iter().all(|y| *y == 0.0));
}

/// The error of an entry is at most half a step.
#[test]
fn entries_are_rounded_to_the_nearest() {
    let numbers: Vec<f64> = Random::new(2).scalars(33 * 40);
    let (bytes, halves) =
        (Kept::<Int8, f64>::of((33, 40), &numbers), Kept::<Bf16, f64>::of((33, 40), &numbers));
    let (mut rounded, mut halved) = (numbers.clone(), numbers.clone());
    let size = (33, 40);
    assert!(fits::<Int8, f64>(size, false, &rounded) && fits::<Bf16, f64>(size, false, &halved));
    round::<Int8, f64>(size, false, &mut rounded);
    round::<Bf16, f64>(size, false, &mut halved);
    assert_eq!((bytes.numbers(), halves.numbers()), (rounded, halved));
    // The transpose of the stored matrix has one scale per column.
    let transposed =
        |numbers: &[f64]| -> Vec<f64> { (0..33 * 40).map(|at| numbers[at / 40 + 33 * (at % 40)]).collect() };
    let mut columns = transposed(&numbers);
    assert!(fits::<Int8, f64>((40, 33), true, &columns));
    round::<Int8, f64>((40, 33), true, &mut columns);
    assert_eq!(columns, transposed(&bytes.numbers()));
    for (at, number) in numbers.iter().enumerate() {
        let row = (0..40).map(|c| numbers[at % 33 + 33 * c].abs()).fold(0.0, f64::max);
        let (byte, half) = (bytes.numbers()[at], halves.numbers()[at]);
        assert!((byte - number).abs() <= row / 254.0 * (1.0 + 1e-12));
        assert!((half - number).abs() <= number.abs() / 256.0);
    }
}

#[test]
fn special_numbers_are_stored_or_refused() {
    let row = |numbers: &[f32]| Kept::<Int8, f32>::of((1, numbers.len()), numbers).numbers();
    assert_eq!(row(&[0.0, -0.0, 0.0]), [0.0; 3]);
    assert_eq!(row(&[1e-45, -1e-45]), [0.0; 2]);
    assert_eq!(row(&[254.0, 3.0, -3.0, 1.0, -254.0]), [254.0, 4.0, -4.0, 0.0, -254.0]);
    assert_eq!(
        Kept::<Bf16, f32>::of((1, 2), &[f32::MIN_POSITIVE, 1.0 + 1.0 / 256.0]).numbers(),
        [f32::MIN_POSITIVE, 1.0]
    );
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert!(!narrow::<Int8, f32>((1, 2), |_, c| [1.0, bad][c], &mut [0; 2], &mut [0.0]));
        assert!(!narrow::<Bf16, f32>((1, 2), |_, c| [1.0, bad][c], &mut [0; 2], &mut []));
        assert!(!fits::<Int8, f32>((1, 2), false, &[1.0, bad]));
    }
    // The nearest number with eight bits of precision is infinite.
    assert!(!narrow::<Bf16, f32>((1, 1), |_, _| f32::MAX, &mut [0], &mut []));
    // 127 times the scale would be infinite.
    assert!(!narrow::<Int8, f32>((1, 1), |_, _| f32::MAX, &mut [0], &mut [0.0]));
    for (large, fits) in [(f32::MAX, false), (0.999 * f32::MAX, true)] {
        assert_eq!(narrow::<Int8, f32>((1, 1), |_, _| large, &mut [0], &mut [0.0]), fits);
        assert_eq!(super::fits::<Int8, f32>((1, 1), false, &[large]), fits);
    }
}
