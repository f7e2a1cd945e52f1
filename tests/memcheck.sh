#!/usr/bin/env bash
# Tests of the runtime and of the whole under valgrind's memcheck: no read of what was never written, no access beyond what was
# allocated, nothing lost. Once with vectors of AVX2, once with the baseline's; valgrind knows no AVX-512.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || { echo 'needs valgrind (apt-get install valgrind)'; exit 1; }
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${host}_RUNNER=valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --max-stackframe=70000000 --main-stacksize=70000000"

for isa in avx2 portable; do
    export RNN_CELL_ISA=$isa
    cargo test -p rnn-cell --lib -- --test-threads 1
    # What counts allocations replaces the allocator that memcheck replaces.
    cargo test -p tests --test golden --test exactness --test functions --test weights -- --test-threads 1
done
