#!/usr/bin/env bash
# Builds the playground: one page, `web/dist/playground.html`, that needs no server and no other
# file.
set -euo pipefail
cd "$(dirname "$0")"
module=$(../wasm.sh playground)
../page.sh page "$module" ../dist/playground.html
