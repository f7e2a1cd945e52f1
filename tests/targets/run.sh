#!/usr/bin/env bash
# Tests the library without `std` on this machine, and on other targets in emulators: aarch64 Linux,
# a Cortex-M4F without an operating system, and WebAssembly with and without vectors.
#
#   tests/targets/run.sh          a few cells (3 minutes on two cores)
#   tests/targets/run.sh long     all cells, loaders, golden cases and unit tests
#   tests/targets/run.sh table    prints the cost of a step
#   tests/targets/run.sh quantised    prints the cost of a step of a quantised copy on the Cortex-M4
#   tests/targets/run.sh voice    runs the voice detector on the Cortex-M4, as `short` and `long` do
#   tests/targets/run.sh long cortex-m4 wasm    for some targets only
#
# Needs qemu-aarch64, aarch64-linux-gnu-gcc, qemu-system-arm and node, and installs them by apt-get
# where possible. The standard libraries come from rustup, or are built from Debian's source. A
# target without an emulator or a standard library is skipped with a message.
set -euo pipefail
cd "$(dirname "$0")/../bare-metal"
mode=${1:-short}
case $mode in
short | long | table | quantised | voice) ;;
*) echo "unknown mode '$mode': use short, long, table, quantised or voice" && exit 2 ;;
esac
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
mkdir -p "$target/outputs"
unset CARGO_TARGET_DIR
export CARGO_TERM_COLOR=never
. ../targets/std.sh

# name, triple, crates of the standard library, flags of rustc
targets=(
    'aarch64|aarch64-unknown-linux-gnu|std,panic_abort|-C relocation-model=static'
    'cortex-m4|thumbv7em-none-eabihf|core,alloc,panic_abort|-C target-cpu=cortex-m4'
    'wasm-simd128|wasm32-unknown-unknown|core,alloc,panic_abort|-C target-feature=+simd128'
    'wasm|wasm32-unknown-unknown|core,alloc,panic_abort|'
)
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu'

# Returns whether the emulator of a target exists.
has_emulator() {
    case $1 in
    aarch64)
        has qemu-aarch64 qemu-user && has aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross
        ;;
    cortex-m4) has qemu-system-arm qemu-system-arm ;;
    wasm*) has node nodejs ;;
    esac
}

# Runs a program: `run TARGET PROGRAM ARGUMENTS`.
run() {
    local program=$2
    case $1 in
    x86) "$program" "${@:3}" ;;
    aarch64) qemu-aarch64 -L /usr/aarch64-linux-gnu "$program" "${@:3}" ;;
    cortex-m4)
        qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none -icount shift=0 \
            -semihosting-config enable=on,target=native -kernel "$program"
        ;;
    wasm*) node wasm.mjs "$program.wasm" "${@:3}" ;;
    esac
}

# Builds programs for the current target: `build FEATURES PROGRAMS`.
build() {
    RUSTFLAGS="-D warnings $flags" cargo build --quiet --release --target "$triple" --target-dir "$target" \
        "${std[@]}" --features "$1" "${@:2}"
}

# Steps the cells of a program with and without the feature `deterministic`, and keeps the output.
step_cells() {
    local features
    for features in '' deterministic; do
        build "$features" --bin golden --bin "$cells"
        run "$name" "$built/golden" || { echo "$name: golden: exit code $?"; exit 1; }
        run "$name" "$built/$cells" >"$target/outputs/$name-$cells$features" || {
            echo "$name: $cells: exit code $?"
            exit 1
        }
    done
}

# Checks that a program in which a panic is reachable does not link. If it did, linking the other
# programs would prove nothing.
reject_a_panic() {
    local log=$target/outputs/with-a-panic.log
    if build with-a-panic --bin golden 2>"$log" && run "$name" "$built/golden" 2>"$log"; then
        echo "$name: a program that can panic was linked"
        exit 1
    fi
    grep -q 'undefined symbol: a_panic_can_be_reached\|undefined reference to `a_panic_can_be_reached' "$log" || {
        cat "$log"
        exit 1
    }
}

cells=some-cells
[ "$mode" = long ] && cells=panic-free
name=x86 triple=$(rustc -vV | sed -n 's/^host: //p') flags=
built=$target/$triple/release
case $mode in
short | long)
    step_cells
    build '' --bin stack
    run "$name" "$built/stack" || { echo "x86: stack: exit code $?"; exit 1; }
    reject_a_panic
    ;;
esac
if [ "$mode" = long ]; then
    build loaders --bin loaders
    run "$name" "$built/loaders" >"$target/outputs/x86-loaders" || { echo "x86: loaders: exit code $?"; exit 1; }
fi
case $mode in
short | long | voice)
    build '' --bin voice
    run "$name" "$built/voice" >"$target/outputs/x86-voice" || { echo "x86: voice: exit code $?"; exit 1; }
    ;;
esac
case $mode in
long | quantised)
    build '' --bin quantised-figures
    quantised_on_host=$(run "$name" "$built/quantised-figures")
    ;;
esac

for line in "${targets[@]}"; do
    IFS='|' read -r name triple crates flags <<<"$line"
    built=$target/$triple/release
    [ "$#" -lt 2 ] || [[ " ${*:2} " == *" $name "* ]] || continue
    case $mode in quantised | voice) [ "$name" = cortex-m4 ] || continue ;; esac
    has_emulator "$name" || { echo "$name: SKIPPED, there is no emulator"; continue; }
    needs_std "$triple" "$crates" || { echo "$name: SKIPPED, there is no standard library"; continue; }
    case $mode in
    table | quantised | voice)
        . "../targets/$mode.sh"
        continue
        ;;
    esac
    step_cells
    cmp "$target/outputs/x86-${cells}deterministic" "$target/outputs/$name-${cells}deterministic"
    difference=$(awk -v tolerance=1e-5 -f ../targets/agree.awk "$target/outputs/x86-$cells" "$target/outputs/$name-$cells") || {
        echo "$name: $difference"
        exit 1
    }
    reject_a_panic
    case $name in
    aarch64) . ../targets/fused.sh ;;
    cortex-m4) . ../targets/voice.sh ;;
    esac
    [ "$mode" != long ] || . ../targets/long.sh
    echo "$name: no panic is reachable; deterministic cells agree with x86 to the bit, others: $difference"
done
