// The network in WebAssembly compared with the same network compiled for this machine, and the page as a person uses it, in headless
// Chromium: `node web/voice/test.mjs [FOLDER]` after `build.sh`. Writes pictures to the folder if there is one.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "../browser.mjs";
import { chunks, module, network, reference, weights } from "./shipped.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const recording = join(root, "examples/data/silero/speech.wav");
const address = new URL("../dist/voice.html", import.meta.url).href;
const pictures = process.argv[2];
const worst = (found, expected) => {
    assert.equal(found.length, expected.length);
    return Math.max(...found.map((value, index) => Math.abs(value - expected[index])));
};

async function test(name, body) {
    try {
        await body();
        console.log(`ok   ${name}`);
    } catch (error) {
        console.log(`FAIL ${name}\n${error.stack}`);
        process.exitCode = 1;
    }
}

/** What the example computes on this machine: the probabilities, and the lines of the segments. */
function native() {
    const folder = mkdtempSync(join(tmpdir(), "voice-"));
    const csv = join(folder, "probabilities.csv");
    const options = ["--quick", "--csv", csv, "--picture", join(folder, "picture.svg")];
    const output = execFileSync("cargo", ["run", "--quiet", "-p", "examples", "--example", "voice_activity", "--", ...options], { cwd: root, encoding: "utf8" });
    const probabilities = readFileSync(csv, "utf8").trim().split("\n").slice(1).map(line => Number(line.split(",")[2]));
    rmSync(folder, { recursive: true });
    return { probabilities, segments: [...output.matchAll(/speech from (.*) s$/gm)].map(found => `${found[1]} s`) };
}

const expected = native();

await test("every probability is that of the native network and of ONNX Runtime", async () => {
    const detector = await network(module, weights);
    // A second stream begins like the first.
    for (let stream = 0; stream < 2; stream++) {
        const found = chunks.map(chunk => detector.step(chunk));
        const [fromNative, fromReference] = [worst(found, expected.probabilities), worst(found, reference)];
        console.log(`     ${found.length} chunks, within ${fromNative.toExponential(1)} of native and ${fromReference.toExponential(1)} of ONNX Runtime`);
        assert.ok(fromNative < 1e-5 && fromReference < 1e-5);
        const bounds = detector.segments(0.5).map(([start, end]) => `${(start / 16000).toFixed(2)} to ${(end / 16000).toFixed(2)} s`);
        assert.ok(bounds.length > 0);
        assert.deepEqual(bounds.slice(0, -1), expected.segments.slice(0, -1));
        detector.reset();
    }
});

await test("weights that do not fit are refused with the reason", async () => {
    await assert.rejects(network(module, weights.subarray(0, 1000)), /safetensors/);
    const renamed = Buffer.from(weights);
    renamed.write("conv2.wright", renamed.indexOf("conv2.weight"));
    await assert.rejects(network(module, renamed), /lack the tensor `conv2.weight`/);
});

const page = await open(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${recording}`, "--autoplay-policy=no-user-gesture-required"]);
const load = async () => {
    await page.go("about:blank");
    await page.go(address);
    await page.until("document.body.dataset.ready");
};

for (const [theme, width] of [["light", 1200], ["dark", 1200], ["light", 360], ["dark", 360]]) {
    await test(`the page, ${theme} and ${width} pixels wide: the shipped recording`, async () => {
        await page.window(width, 800, theme);
        await load();
        assert.equal(await page.read("document.body.dataset.heard"), "239");
        assert.ok(worst(await page.read("probabilities"), expected.probabilities) < 1e-5);
        const found = await page.read("[...document.querySelectorAll('#segments li')].map(item => item.textContent)");
        assert.deepEqual(found.slice(0, -1), expected.segments.slice(0, -1));
        assert.match(await page.read("element('time').textContent"), /^\d+ µs$/);
        assert.ok(await page.read("document.documentElement.scrollWidth") <= width);
        const inks = await page.read(`(() => {
            const { data } = element("drawing").getContext("2d").getImageData(0, 0, element("drawing").width, element("drawing").height);
            return new Set(Array.from({ length: data.length / 4 }, (_, at) => data.slice(4 * at, 4 * at + 4).join())).size;
        })()`);
        assert.ok(inks > 5, `${inks} colours are drawn`);
        if (pictures) await page.picture(`${pictures}/voice-${theme}-${width}.png`);
        assert.deepEqual(page.problems.splice(0), []);
    });
}

await test("a threshold that no chunk reaches, and a file that is no sound", async () => {
    await page.read("element('threshold').value = 0.95; element('threshold').dispatchEvent(new Event('input'))");
    const strict = await page.read("segments().reduce((sum, [start, end]) => sum + end - start, 0)");
    await page.read("element('threshold').value = 0.05; element('threshold').dispatchEvent(new Event('input'))");
    assert.ok(await page.read("segments().reduce((sum, [start, end]) => sum + end - start, 0)") > strict);
    await page.read("detect('text', new TextEncoder().encode('no sound').buffer)");
    assert.match(await page.read("element('verdict').textContent"), /^text: /);
});

await test("the microphone streams", async () => {
    await page.window(1200, 800, "light");
    await load();
    await page.click("#microphone");
    await page.until("element('microphone').getAttribute('aria-pressed') === 'true' && probabilities.length > 60", 40);
    if (pictures) await page.picture(`${pictures}/voice-microphone.png`);
    await page.click("#microphone");
    await page.until("element('microphone').getAttribute('aria-pressed') === 'false'");
    assert.ok(await page.read("Math.max(...probabilities)") > 0.5, "the recording as a microphone contains speech");
    assert.deepEqual(page.problems.splice(0), []);
});

await page.close();
console.log(process.exitCode ? "the page that detects speech: FAILED" : "the page that detects speech: as it should be");
