// Compares the time per chunk with that of ONNX Runtime in WebAssembly, and what a browser downloads for each.
//
//     web/voice/build.sh
//     npm install --prefix /tmp/ort onnxruntime-web
//     node web/voice/compare.mjs /tmp/ort/node_modules/onnxruntime-web silero_vad_16k_op15.onnx
//
// The model is in the package `silero-vad` of PyPI. Both run on one thread, in turns, in the same process.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { CHUNK, chunks, median, module, network, reference, weights } from "./shipped.mjs";

const ROUNDS = 11;
const [folder, model] = process.argv.slice(2);
const dist = join(resolve(folder), "dist");
const ort = await import(join(dist, "ort.wasm.min.mjs"));
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = dist + "/";
const onnx = readFileSync(model);
const session = await ort.InferenceSession.create(onnx, { executionProviders: ["wasm"], intraOpNumThreads: 1 });
const ours = await network(module, weights);

async function theirPass(times) {
    let state = new ort.Tensor("float32", new Float32Array(256), [2, 1, 128]);
    const input = new Float32Array(64 + CHUNK);
    const rate = session.inputNames.includes("sr") ? { sr: new ort.Tensor("int64", BigInt64Array.from([16000n]), []) } : {};
    const probabilities = [];
    for (const chunk of chunks) {
        input.copyWithin(0, CHUNK);
        input.set(chunk, 64);
        const feeds = { input: new ort.Tensor("float32", input, [1, 64 + CHUNK]), state, ...rate };
        const start = performance.now();
        const { output, stateN } = await session.run(feeds);
        times.push(performance.now() - start);
        probabilities.push(output.data[0]);
        state = stateN;
    }
    return probabilities;
}

function ourPass(times) {
    ours.reset();
    return chunks.map(chunk => {
        const start = performance.now();
        const probability = ours.step(chunk);
        times.push(performance.now() - start);
        return probability;
    });
}

const worst = probabilities => Math.max(...probabilities.map((value, index) => Math.abs(value - reference[index])));
const times = { ours: [], theirs: [] };
const rounds = { ours: [], theirs: [] };
let [differs, theirsDiffers] = [worst(ourPass([])), worst(await theirPass([]))];
for (let round = 0; round < ROUNDS; round++) {
    times.ours = [];
    times.theirs = [];
    ourPass(times.ours);
    await theirPass(times.theirs);
    for (const name of ["ours", "theirs"]) rounds[name].push(1000 * median(times[name]));
}
const report = name => `${median(rounds[name]).toFixed(0)} us per chunk (median of ${ROUNDS} rounds, ${Math.min(...rounds[name]).toFixed(0)} to ${Math.max(...rounds[name]).toFixed(0)})`;
console.log(`rnn-cell:        ${report("ours")}; probabilities within ${differs.toExponential(1)} of the reference`);
console.log(`onnxruntime-web: ${report("theirs")}; probabilities within ${theirsDiffers.toExponential(1)} of the reference`);
console.log(`time: ${(median(rounds.ours) / median(rounds.theirs)).toFixed(3)} of onnxruntime-web's`);

const files = {
    "rnn-cell": [["module", module], ["weights", weights]],
    "onnxruntime-web": [["module", readFileSync(join(dist, "ort-wasm-simd-threaded.wasm"))], ["loader", readFileSync(join(dist, "ort-wasm-simd-threaded.mjs"))], ["script", readFileSync(join(dist, "ort.wasm.min.mjs"))], ["model", onnx]],
};
const totals = Object.entries(files).map(([name, parts]) => {
    const sizes = parts.map(([part, bytes]) => [part, bytes.length, gzipSync(bytes, { level: 9 }).length]);
    const sum = index => sizes.reduce((total, size) => total + size[index], 0);
    console.log(`${name}: ${sum(1)} bytes, ${sum(2)} compressed (${sizes.map(([part, raw, packed]) => `${part} ${raw}, ${packed}`).join("; ")})`);
    return [sum(1), sum(2)];
});
console.log(`download: ${(totals[0][0] / totals[1][0]).toFixed(3)} of onnxruntime-web's, ${(totals[0][1] / totals[1][1]).toFixed(3)} compressed`);
