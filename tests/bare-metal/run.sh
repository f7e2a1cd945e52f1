#!/usr/bin/env bash
# Builds and runs the programs of this crate. Each links only if no panic is reachable.
#
#   tests/bare-metal/run.sh             the programs for this machine
#   tests/bare-metal/run.sh fallback    with the code for targets other than x86-64
set -euo pipefail
cd "$(dirname "$0")"

target="${CARGO_TARGET_DIR:-target}"
run() {
    for program in "${@:2}"; do
        "$1/$program" || { echo "$1/$program: exit code $?"; exit 1; }
    done
}

if [ "${1:-}" = fallback ]; then
    # A panic might be reachable in the code for vectors of other targets.
    export RUSTFLAGS="${RUSTFLAGS:-} --cfg rnn_cell_fallback"
    target=$target/fallback
fi
programs=(golden stack panic-free)
cargo build --release --target-dir "$target" "${programs[@]/#/--bin=}"
folder="$target/release"
run "$folder" "${programs[@]}"

# The linker must reject a program that can panic. Otherwise, linking the other programs proves
# nothing.
if cargo rustc --release --target-dir "$target" --bin golden --features with-a-panic 2>"$folder/with-a-panic.log"; then
    echo 'a program that can panic was linked'
    exit 1
fi
grep -q 'undefined symbol: a_panic_can_be_reached\|undefined reference to `a_panic_can_be_reached' "$folder/with-a-panic.log" || {
    cat "$folder/with-a-panic.log"
    exit 1
}
echo 'bare metal: all results agree, no panic is reachable'
