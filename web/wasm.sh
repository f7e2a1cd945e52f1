#!/usr/bin/env bash
# Builds a package of this folder for browsers and prints the path of the module:
# `wasm.sh PACKAGE [cargo's options]`.
set -euo pipefail
cd "$(dirname "$0")"
package=$1
shift

triple=wasm32-unknown-unknown
target=${CARGO_TARGET_DIR:-$PWD/target}
. ../tests/targets/std.sh
needs_std "$triple" std,panic_abort,proc_macro || {
    echo "there is no standard library for $triple: neither \`rustup target add $triple\` nor the source of Debian's package \`rust-src\` can be had" >&2
    exit 1
}
cargo build --release --target "$triple" --target-dir "$target" "${std[@]}" -p "$package" "$@" >&2
echo "$target/$triple/release/${package//-/_}.wasm"
