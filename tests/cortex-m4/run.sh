#!/usr/bin/env bash
# Prints what a step costs on a Cortex-M4F, emulated by qemu (qemu-system-arm): instructions, stack, and
# the bytes of code of a step. Checks that no panic is reachable, that products in integers have the bits of the host's,
# and that steps stay within their budgets.
#
# The target's library comes from rustup (`rustup target add thumbv7em-none-eabihf`), or is built from
# the source in the folder `LIBRARY`, the `library` of Rust's repository.
set -euo pipefail
cd "$(dirname "$0")"

target=thumbv7em-none-eabihf
folder="${CARGO_TARGET_DIR:-target}"
build=()
if [ -n "${LIBRARY:-}" ]; then
    export RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT="$LIBRARY"
    build=(-Zbuild-std=core)
elif ! [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
    echo "skipped: neither the target $target nor LIBRARY, the source of its library"
    exit 0
fi
if ! command -v qemu-system-arm >/dev/null; then
    echo 'skipped: no qemu-system-arm'
    exit 0
fi

RUSTFLAGS="-Clink-arg=-Tcortex-m4.ld -Ctarget-cpu=cortex-m4" \
    cargo build --release --target "$target" "${build[@]}"
program="$folder/$target/release/cortex-m4"
board="$(timeout 300 qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none -icount shift=0 \
    -semihosting-config enable=on,target=native -kernel "$program")"
host="$(RUSTFLAGS='' cargo run --release)"
for of in "$board" "$host"; do
    grep '^checksum' <<<"$of"
done | sort -u | wc -l | grep -qx 1 || {
    echo 'products in integers differ between the board and the host:'
    echo "$board" | grep '^checksum'
    echo "$host" | grep '^checksum'
    exit 1
}

size() { # of the function `$1::$2`, without the functions that it calls
    readelf -sW "$program" | awk -v module="${#1}$1" -v name="${#2}$2" '
        index($8, module name) || index($8, module "_" name) { print $3; exit }'
}
echo '| cell | format | instructions | stack | code | error of an output |'
echo '| --- | --- | --- | --- | --- | --- |'
declare -A count
while read -r name instructions stack error; do
    [ "$name" = checksum ] && continue
    count[$name]=$instructions
    echo "| ${name%::*} | ${name#*::as_} | $instructions | $stack | $(size "${name%::*}" "${name#*::}") | 0.$(printf '%04d' "$error") |"
done <<<"$board"

within() {
    [ "${count[$1]}" -le "$2" ] || { echo "$1: ${count[$1]} instructions, not at most $2"; exit 1; }
}
within lstm_1_16::as_int8_by_16 7200
within lstm_16_32::as_int8_by_16 20000
within lstm_64_64::as_int8_by_16 76000
echo 'Cortex-M4: the bits of products are those of the host, and no panic is reachable'
