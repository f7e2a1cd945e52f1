#!/usr/bin/env bash
# Builds and runs the programs of this crate. Each links only if no panic is reachable.
set -euo pipefail
cd "$(dirname "$0")"

target="${CARGO_TARGET_DIR:-target}"
run() {
    for program in "${@:2}"; do
        "$1/$program" || { echo "$1/$program: exit code $?"; exit 1; }
    done
}

cargo build --release
folder="$target/release"
run "$folder" golden panic-free stack

# Targets other than x86-64 use different code for vectors, in which a panic might be reachable.
RUSTFLAGS="${RUSTFLAGS:-} --cfg rnn_cell_fallback" \
    cargo build --release --target-dir "$target/fallback" --bin golden --bin panic-free
run "$target/fallback/release" golden panic-free

# The linker must reject a program that can panic. Otherwise, linking the other programs proves
# nothing.
if cargo rustc --release --bin golden --features with-a-panic 2>"$folder/with-a-panic.log"; then
    echo 'a program that can panic was linked'
    exit 1
fi
grep -q 'undefined symbol: a_panic_can_be_reached\|undefined reference to `a_panic_can_be_reached' "$folder/with-a-panic.log" || {
    cat "$folder/with-a-panic.log"
    exit 1
}
echo 'bare metal: all results agree, no panic is reachable'
