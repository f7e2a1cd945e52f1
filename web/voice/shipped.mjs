// The network and the recording of the repository, for programs under node.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const data = join(here, "../../examples/data/silero");

export const CHUNK = 512;
export const module = readFileSync(join(here, "../dist/voice.wasm"));
export const weights = readFileSync(join(data, "silero_vad_6.2.3_16k.safetensors"));
/** The probabilities of ONNX Runtime. */
export const reference = JSON.parse(readFileSync(join(data, "speech.json"), "utf8")).probability;
export const network = new Function(readFileSync(join(here, "page/network.js"), "utf8") + "; return network;")();

/** The chunks of the recording: 16 bits, one channel, after a header of 44 bytes. */
const wave = readFileSync(join(data, "speech.wav"));
const samples = Float32Array.from({ length: (wave.length - 44) >> 1 }, (_, index) => wave.readInt16LE(44 + 2 * index) / 32768);
export const chunks = Array.from({ length: Math.floor(samples.length / CHUNK) }, (_, index) => samples.subarray(CHUNK * index, CHUNK * (index + 1)));

export const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];
