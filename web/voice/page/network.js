// The network in WebAssembly, for the page and for tests under node.

const CHUNK = 512;

/** Starts the network with the bytes of its module and of its weights. */
async function network(module, weights) {
    const instance = (await WebAssembly.instantiate(module, {})).instance.exports;
    const place = instance.weights(weights.length);
    new Uint8Array(instance.memory.buffer, place, weights.length).set(weights);
    if (!instance.load()) {
        throw new Error(new TextDecoder().decode(new Uint8Array(instance.memory.buffer, instance.message(), instance.message_length())));
    }
    // Memory that grows gets another buffer.
    let samples = new Float32Array(instance.memory.buffer, instance.chunk(), CHUNK);
    return {
        /** Begins a new stream. */
        reset: () => instance.reset(),
        /** Returns the probability that the next 512 samples, at 16 kHz, contain speech. */
        step(chunk) {
            if (samples.length === 0) samples = new Float32Array(instance.memory.buffer, instance.chunk(), CHUNK);
            samples.set(chunk);
            return instance.step();
        },
        /** Returns the beginning and the end of each segment of speech so far, in samples. */
        segments(threshold) {
            const count = instance.find_segments(threshold);
            const bounds = new Uint32Array(instance.memory.buffer, instance.segment_bounds(), 2 * count);
            return Array.from({ length: count }, (_, index) => [bounds[2 * index], bounds[2 * index + 1]]);
        },
    };
}
