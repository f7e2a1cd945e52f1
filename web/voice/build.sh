#!/usr/bin/env bash
# Builds the page that detects speech: one file, `web/dist/voice.html`, with the network, its
# weights and a recording.
set -euo pipefail
cd "$(dirname "$0")"
data=../../examples/data/silero
# Vectors of four numbers, which every browser has had since 2023.
export RUSTFLAGS=-Ctarget-feature=+simd128
module=$(../wasm.sh voice)
mkdir -p ../dist
cp "$module" ../dist/voice.wasm
../page.sh page "$module" ../dist/voice.html "weights=$data/silero_vad_6.2.3_16k.safetensors" "recording=$data/speech.wav"
