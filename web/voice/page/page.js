"use strict";
const element = id => document.getElementById(id);
const RATE = 16000;
/** Seconds that the drawing shows while sound streams. */
const SHOWN = 10;

const bytes = async id => {
    const { body } = await fetch(`data:application/gzip;base64,${element(id).textContent.trim()}`);
    return new Uint8Array(await new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
};

// ---- What has been heard: the loudest sample and the probability of each chunk.

let detector;
let peaks = [];
let probabilities = [];
let times = [];
let rest = new Float32Array(0);
let isStreaming = false;

function begin() {
    detector.reset();
    [peaks, probabilities, times, rest] = [[], [], [], new Float32Array(0)];
}

/** Processes samples of 16 kHz; what is less than a chunk waits for the next ones. */
function hear(samples) {
    const all = new Float32Array(rest.length + samples.length);
    all.set(rest);
    all.set(samples, rest.length);
    let at = 0;
    for (; at + CHUNK <= all.length; at += CHUNK) {
        const chunk = all.subarray(at, at + CHUNK);
        const start = performance.now();
        probabilities.push(detector.step(chunk));
        times.push(performance.now() - start);
        peaks.push(chunk.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0));
    }
    rest = all.slice(at);
}

// ---- The drawing: the sound above, the probability below, speech shaded.

function draw() {
    const canvas = element("drawing");
    const style = getComputedStyle(document.body);
    const colour = name => style.getPropertyValue(`--${name}`);
    const { width, height } = canvas.getBoundingClientRect();
    const scale = devicePixelRatio;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
        [canvas.width, canvas.height] = [width * scale, height * scale].map(Math.round);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    // A canvas does not know `light-dark`: colours are resolved through an element.
    const resolve = name => { canvas.style.color = colour(name); return getComputedStyle(canvas).color; };

    const left = 34;
    const [wave, top, bottom] = [height * 0.2, height * 0.4, height - 26];
    const first = isStreaming ? Math.max(0, probabilities.length - SHOWN * RATE / CHUNK) : 0;
    const span = isStreaming ? SHOWN * RATE / CHUNK : Math.max(probabilities.length, 1);
    const x = chunk => left + (chunk - first) / span * (width - left - 8);
    const y = probability => bottom - probability * (bottom - top);
    const threshold = Number(element("threshold").value);

    pen.fillStyle = resolve("speech");
    for (const [start, end] of segments()) {
        const [from, to] = [start, end].map(sample => Math.max(x(sample / CHUNK), left));
        pen.fillRect(from, 0, to - from, bottom);
    }
    pen.fillStyle = resolve("wave");
    const loudest = Math.max(0.05, ...peaks.slice(first));
    for (let chunk = Math.floor(first); chunk < peaks.length; chunk++) {
        const size = Math.max(0.5, peaks[chunk] / loudest * height * 0.17);
        pen.fillRect(x(chunk), wave - size, Math.max(0.7, (width - left) / span * 0.8), 2 * size);
    }
    pen.strokeStyle = resolve("line");
    pen.fillStyle = resolve("quiet");
    pen.font = "12px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const level of [0, 0.5, 1]) {
        pen.fillText(String(level), left - 7, y(level));
        line([[left, y(level)], [width, y(level)]]);
    }
    pen.textAlign = "center";
    const seconds = span * CHUNK / RATE;
    const step = [0.5, 1, 2, 5, 10, 30, 60, 300].find(step => seconds / step <= Math.max(4, width / 90)) ?? 600;
    for (let second = Math.ceil(first * CHUNK / RATE / step) * step; second <= (first + span) * CHUNK / RATE; second += step) {
        const at = x(second * RATE / CHUNK);
        if (at < width - 14) pen.fillText(`${second} s`, Math.max(at, left + 8), bottom + 14);
    }
    pen.strokeStyle = resolve("accent");
    pen.setLineDash([4, 4]);
    line([[left, y(threshold)], [width, y(threshold)]]);
    pen.setLineDash([]);
    pen.lineWidth = 2;
    line(probabilities.slice(Math.floor(first)).map((probability, index) => [x(Math.floor(first) + index + 0.5), y(probability)]));
    pen.lineWidth = 1;

    function line(points) {
        pen.beginPath();
        points.forEach(([x, y], index) => index === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y));
        pen.stroke();
    }
}

const segments = () => probabilities.length === 0 ? [] : detector.segments(Number(element("threshold").value));

function show() {
    draw();
    const found = segments();
    const list = found.map(([start, end]) => `<li>${(start / RATE).toFixed(2)} to ${(end / RATE).toFixed(2)} s</li>`).join("");
    if (element("segments").innerHTML !== list) element("segments").innerHTML = list || "<li>none</li>";
    element("level").textContent = Number(element("threshold").value).toFixed(2);
    if (times.length === 0) return;
    // Clocks of browsers are coarse: a mean of many chunks is exact.
    const mean = times.slice(-200).reduce((sum, time) => sum + time, 0) / Math.min(times.length, 200);
    element("now").textContent = `${(100 * probabilities.at(-1)).toFixed(0)} %`;
    element("time").textContent = `${(1000 * mean).toFixed(0)} µs`;
    element("factor").textContent = (mean / (1000 * CHUNK / RATE)).toFixed(4);
}

// ---- Sounds.

async function detect(name, file) {
    await stop();
    try {
        // The context resamples to its own rate.
        const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(file);
        const channels = Array.from({ length: sound.numberOfChannels }, (_, channel) => sound.getChannelData(channel));
        const mixed = channels[0].map((_, index) => channels.reduce((sum, channel) => sum + channel[index], 0) / channels.length);
        begin();
        hear(mixed);
        element("verdict").textContent = `${name}: ${sound.duration.toFixed(2)} s, ${probabilities.length} chunks`;
    } catch (error) {
        element("verdict").textContent = `${name}: ${error.message}`;
    }
    show();
    document.body.dataset.heard = probabilities.length;
}

const CAPTURE = `registerProcessor("capture", class extends AudioWorkletProcessor {
    process([[samples]]) { if (samples) this.port.postMessage(samples.slice()); return true; }
});`;
let stop = async () => {};

async function listen() {
    const media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    const context = new AudioContext({ sampleRate: RATE });
    // The page of a file has no origin, so it may load no worklet from a blob.
    await context.audioWorklet.addModule(`data:text/javascript,${encodeURIComponent(CAPTURE)}`);
    const capture = new AudioWorkletNode(context, "capture");
    context.createMediaStreamSource(media).connect(capture);
    begin();
    isStreaming = true;
    capture.port.onmessage = ({ data }) => hear(data);
    const frame = () => { if (isStreaming) { show(); requestAnimationFrame(frame); } };
    frame();
    element("microphone").setAttribute("aria-pressed", "true");
    element("verdict").textContent = "Listening …";
    stop = async () => {
        isStreaming = false;
        stop = async () => {};
        media.getTracks().forEach(track => track.stop());
        await context.close();
        element("microphone").setAttribute("aria-pressed", "false");
        element("verdict").textContent = `Microphone: ${(probabilities.length * CHUNK / RATE).toFixed(1)} s`;
        show();
    };
}

element("microphone").addEventListener("click", () => isStreaming ? stop() : listen().catch(error => {
    element("verdict").textContent = `The microphone cannot be used: ${error.message}`;
}));
element("play").addEventListener("click", async () => detect("Shipped recording", (await bytes("recording")).buffer));
element("file").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (file) await detect(file.name, await file.arrayBuffer());
});
element("threshold").addEventListener("input", show);
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

(async () => {
    detector = await network(await bytes("module"), await bytes("weights"));
    for (const id of ["play", "file", "microphone"]) element(id).disabled = false;
    await detect("Shipped recording", (await bytes("recording")).buffer);
    document.body.dataset.ready = Math.round(performance.now());
})().catch(error => element("verdict").textContent = error.message);
