#!/usr/bin/env bash
# Builds the programs of this crate, each of which links only if no panic can be reached, and runs them.
set -euo pipefail
cd "$(dirname "$0")"

cargo build --release
folder="${CARGO_TARGET_DIR:-target}/release"
for program in golden panic-free stack; do
    "$folder/$program" || { echo "$program: exit code $?"; exit 1; }
done

# The linker must refuse a program that can panic: otherwise the others prove nothing.
if cargo rustc --release --bin golden --features with-a-panic 2>"$folder/with-a-panic.log"; then
    echo 'a program that can panic was linked'
    exit 1
fi
grep -q 'undefined symbol: a_panic_can_be_reached\|undefined reference to `a_panic_can_be_reached' "$folder/with-a-panic.log" || {
    cat "$folder/with-a-panic.log"
    exit 1
}
echo 'bare metal: all agree, nothing panics'
