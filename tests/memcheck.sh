#!/usr/bin/env bash
# The kernels' tests and those of the whole under valgrind's memcheck: no read of what was never written, no access beyond what
# was allocated, nothing lost. Once with vectors of AVX2, once with the baseline's; valgrind knows no AVX-512. Builds what
# `cargo test --workspace` builds. What counts allocations is left out: it replaces the allocator, as memcheck does.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || { echo 'needs valgrind (apt-get install valgrind)'; exit 1; }
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
leaks='--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite'
export "CARGO_TARGET_${host}_RUNNER=valgrind --quiet --error-exitcode=9 $leaks --max-stackframe=70000000"

for isa in avx2 portable; do
    export RNN_CELL_ISA=$isa
    cargo test --workspace --lib -- --test-threads 1 kernels
    cargo test --workspace --test golden --test exactness --test weights --test quantised -- --test-threads 1
done
