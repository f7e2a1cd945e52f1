// Runs a program: `node wasm.mjs FILE`. The exit code is the result of its `main`.
import { readFileSync, writeSync } from "node:fs";

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
// A reachable panic is an import, since linkers for WebAssembly import what is undefined.
for (const { name } of WebAssembly.Module.imports(module)) {
    if (name !== "write") {
        console.error(`undefined symbol: ${name}`);
        process.exit(100);
    }
}
let memory;
const write = (start, count) => writeSync(1, new Uint8Array(memory.buffer, start, count));
const { exports } = new WebAssembly.Instance(module, { host: { write } });
memory = exports.memory;
process.exit(exports.main(0, 0));
