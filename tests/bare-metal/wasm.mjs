// node wasm.mjs FILE           runs a program: the exit code is the result of its `main`
// node wasm.mjs FILE NUMBER    prints the nanoseconds of a step of a cell of `figures`
// node wasm.mjs FILE NAME      prints the bytes of an exported function's code
import { readFileSync, writeSync } from "node:fs";

const [file, what] = process.argv.slice(2);
const bytes = readFileSync(file);
const module = new WebAssembly.Module(bytes);
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

// Returns the nanoseconds of a step, the best of 20 runs of some milliseconds.
function time(cell) {
    const steps = 2000;
    let best = Infinity;
    for (let run = 0; run < 20; run++) {
        const start = performance.now();
        exports.steps(cell, steps);
        best = Math.min(best, performance.now() - start);
    }
    return Math.round((best / steps) * 1e6);
}

// Returns the bytes of a function's code. A module is a header of eight bytes and sections: a
// number, a size and the contents. The code section is number 10: a count, and for each function
// its size and its body. <https://webassembly.github.io/spec/core/binary/modules.html>
function size(index) {
    let at = 8;
    const number = () => {
        let value = 0, shift = 0, byte;
        do {
            byte = bytes[at++];
            value |= (byte & 0x7f) << shift;
            shift += 7;
        } while (byte & 0x80);
        return value;
    };
    for (;;) {
        const section = bytes[at++], length = number();
        if (section === 10) break;
        at += length;
    }
    number();
    for (let function_ = 0; function_ < index; function_++) {
        const length = number();
        at += length;
    }
    return number();
}

if (what === undefined) process.exit(exports.main(0, 0));
if (/^\d/.test(what)) console.log(time(Number(what)));
// The name of an exported function is its index, which counts imported functions first.
else console.log(size(Number(exports[what].name) - WebAssembly.Module.imports(module).length));
