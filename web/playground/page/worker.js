// The compiler in a worker: `{ id, call, text }` in, `{ id, answer }` or `{ id, failure }` out. The first message is the
// compressed module in base64.
let compiled;
let instance;
let panic;

async function call({ id, call, text }) {
    try {
        instance ??= (await WebAssembly.instantiate(await compiled, { page: { panicked } })).exports;
        const bytes = new TextEncoder().encode(text);
        const place = instance.input(bytes.length);
        new Uint8Array(instance.memory.buffer, place, bytes.length).set(bytes);
        const length = instance[call]();
        const answer = new TextDecoder().decode(new Uint8Array(instance.memory.buffer, instance.output(), length));
        postMessage({ id, answer });
    } catch (error) {
        // The memory of an instance that has trapped is in no known state.
        instance = undefined;
        postMessage({ id, failure: panic ?? String(error) });
        panic = undefined;
    }
}

function panicked(message, length) {
    panic = new TextDecoder().decode(new Uint8Array(instance.memory.buffer, message, length));
}

onmessage = ({ data: compressed }) => {
    // `fetch` decodes base64 ten times faster than `atob`.
    compiled = fetch(`data:application/gzip;base64,${compressed}`).then(({ body }) => {
        const headers = { "content-type": "application/wasm" };
        return WebAssembly.compileStreaming(new Response(body.pipeThrough(new DecompressionStream("gzip")), { headers }));
    });
    onmessage = ({ data }) => call(data);
};
