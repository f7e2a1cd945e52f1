//! Products of matrices with vectors on ARM's M profile with a floating-point unit.
//!
//! The compiler loads every entry of a matrix by an instruction of its own. These loops load eight
//! at once, and keep the sums of sixteen rows in registers. They multiply and add in two
//! instructions: on a Cortex-M4, each takes one cycle, and a fused multiply-add takes three
//! (Cortex-M4 Technical Reference Manual, table 7-1).
//!
//! Stable Rust has no operands of `asm!` in floating-point registers on these targets, so whole
//! loops are assembly.

use core::arch::asm;

/// The largest number of rows of a block.
const MOST_ROWS: usize = 16;

/// The sums of a product that is not added to anything.
static ZEROS: [f32; MOST_ROWS] = [0.0; MOST_ROWS];

/// Multiplies and adds the next eight rows of a column to eight sums.
macro_rules! eight {
    ($s0:literal $s1:literal $s2:literal $s3:literal $s4:literal $s5:literal $s6:literal $s7:literal) => {
        concat!(
            "vldmia {a}!, {{s16-s23}}\n",
            "vmul.f32 s16, s16, s31\nvmul.f32 s17, s17, s31\nvmul.f32 s18, s18, s31\nvmul.f32 s19, s19, s31\n",
            "vmul.f32 s20, s20, s31\nvmul.f32 s21, s21, s31\nvmul.f32 s22, s22, s31\nvmul.f32 s23, s23, s31\n",
            "vadd.f32 ", $s0, ", ", $s0, ", s16\nvadd.f32 ", $s1, ", ", $s1, ", s17\n",
            "vadd.f32 ", $s2, ", ", $s2, ", s18\nvadd.f32 ", $s3, ", ", $s3, ", s19\n",
            "vadd.f32 ", $s4, ", ", $s4, ", s20\nvadd.f32 ", $s5, ", ", $s5, ", s21\n",
            "vadd.f32 ", $s6, ", ", $s6, ", s22\nvadd.f32 ", $s7, ", ", $s7, ", s23",
        )
    };
}

/// Multiplies and adds the next four rows of a column to four sums.
macro_rules! four {
    () => {
        concat!(
            "vldmia {a}!, {{s16-s19}}\n",
            "vmul.f32 s16, s16, s31\nvmul.f32 s17, s17, s31\nvmul.f32 s18, s18, s31\nvmul.f32 s19, s19, s31\n",
            "vadd.f32 s0, s0, s16\nvadd.f32 s1, s1, s17\nvadd.f32 s2, s2, s18\nvadd.f32 s3, s3, s19",
        )
    };
}

/// Loops over the columns of a block of rows. The arguments are the range of registers with the
/// sums, and the instructions of a column.
macro_rules! block {
    ($sums:literal, $($column:expr),+; $from:expr, $to:expr, $a:expr, $x:expr, $k:expr, $skip:expr) => {
        asm!(
            concat!("vldmia {from}, {{", $sums, "}}"),
            "2:",
            "vldmia {x}!, {{s31}}",
            $($column,)+
            "add {a}, {a}, {skip}",
            "subs {k}, {k}, #1",
            "bne 2b",
            concat!("vstmia {to}, {{", $sums, "}}"),
            from = in(reg) $from, to = in(reg) $to, skip = in(reg) $skip,
            a = inout(reg) $a => _, x = inout(reg) $x => _, k = inout(reg) $k => _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _, out("s7") _,
            out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _, out("s14") _, out("s15") _,
            out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _, out("s21") _, out("s22") _, out("s23") _,
            out("s31") _,
            options(nostack),
        )
    };
}

/// Computes `y (m) = A (m x k) x (k)`, or adds it to `y` with `accumulate`.
///
/// # Safety
/// `a` is `m x k`, `x` has length `k`, and `y` has length `m` and overlaps nothing else.
#[inline(never)]
pub(super) unsafe fn column(m: usize, k: usize, a: *const f32, x: *const f32, y: *mut f32, accumulate: bool) {
    // The loops of assembly have at least one column.
    if k == 0 {
        for row in 0..if accumulate { 0 } else { m } {
            // SAFETY: guaranteed by the caller.
            unsafe { y.add(row).write(0.0) };
        }
        return;
    }
    let mut row = 0;
    while row < m {
        let rows = match m - row {
            MOST_ROWS.. => MOST_ROWS,
            8.. => 8,
            4.. => 4,
            _ => 1,
        };
        // SAFETY: `rows` rows from `row` on are in the matrix and in `y`. The assembly reads `rows`
        // sums and, `k` times, `rows` entries of a column and one of `x`; then it writes the sums.
        unsafe {
            let (a, to) = (a.add(row), y.add(row));
            let from = if accumulate { to.cast_const() } else { ZEROS.as_ptr() };
            let skip = (m - rows) * size_of::<f32>();
            match rows {
                MOST_ROWS => block!(
                    "s0-s15",
                    eight!("s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7"),
                    eight!("s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15");
                    from, to, a, x, k, skip
                ),
                8 => block!(
                    "s0-s7", eight!("s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7"); from, to, a, x, k, skip
                ),
                4 => block!("s0-s3", four!(); from, to, a, x, k, skip),
                _ => {
                    let mut sum = *from;
                    for j in 0..k {
                        sum += *a.add(j * m) * *x.add(j);
                    }
                    *to = sum;
                }
            }
        }
        row += rows;
    }
}
