#!/usr/bin/env bash
# Runs the kernels' unit tests and the integration tests under valgrind's memcheck, which reports
# reads of uninitialised memory, accesses outside of allocations, and leaks. Runs them with AVX2 and
# with the baseline's vectors. Valgrind does not support AVX-512. Tests that count allocations are
# left out because they replace the allocator, like memcheck.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || { echo 'needs valgrind (apt-get install valgrind)'; exit 1; }
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
leaks='--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite'
export "CARGO_TARGET_${host}_RUNNER=valgrind --quiet --error-exitcode=9 $leaks --max-stackframe=70000000"

# Dev builds of this repository contain code for one instruction set (.cargo/config.toml). These
# builds contain code for all.
export RUSTFLAGS=

for isa in avx2 portable; do
    export RNN_CELL_ISA=$isa
    # Valgrind's multiply-add computes 0 where a processor computes -0: a test of signs is left out.
    cargo test -p rnn-cell --features nam,onnx,quantised,rayon,rtneural,safetensors --lib -- \
        --test-threads 1 --skip approximations_keep_signs kernels
    cargo test -p tests --test golden --test exactness --test functions --test weights --test quantised -- --test-threads 1
done
