// A page in headless Chromium, driven through the DevTools protocol over a pipe: no package needed.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

function program() {
    for (const name of NAMES) {
        try {
            return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
        } catch { /* the next one */ }
    }
    throw new Error("no Chromium: `apt-get install chromium-headless-shell`");
}

/** Starts a browser. */
export async function open(options = []) {
    const profile = mkdtempSync(join(tmpdir(), "page-"));
    // Sandboxed kernels do not deliver the signals by which Chromium notices a load out of bounds in WebAssembly. It then compares
    // every address itself.
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars", "--disable-features=WebAssemblyTrapHandler", `--user-data-dir=${profile}`];
    const process = spawn(program(), [...flags, ...options, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    const waiting = new Map();
    const problems = [];
    let received = "";
    let count = 0;
    let crash;
    process.stdio[4].setEncoding("utf8").on("data", data => {
        const messages = (received + data).split("\0");
        received = messages.pop();
        messages.map(message => JSON.parse(message)).forEach(({ id, result, error, method, params }) => {
            if (id !== undefined) {
                const { resolve, reject } = waiting.get(id);
                waiting.delete(id);
                if (error) reject(new Error(error.message));
                else resolve(result);
            } else if (method === "Inspector.targetCrashed") {
                crash = new Error("the page crashed");
                waiting.forEach(({ reject }) => reject(crash));
                waiting.clear();
            } else if (method === "Runtime.exceptionThrown") {
                problems.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
            }
        });
    });
    let sessionId;
    const send = (method, params = {}) => new Promise((resolve, reject) => {
        if (crash) return void reject(crash);
        waiting.set(++count, { resolve, reject });
        process.stdio[3].write(JSON.stringify({ id: count, method, params, sessionId }) + "\0");
    });
    const { targetInfos } = await send("Target.getTargets");
    const target = targetInfos.find(({ type }) => type === "page").targetId;
    ({ sessionId } = await send("Target.attachToTarget", { targetId: target, flatten: true }));
    await send("Page.enable");
    await send("Runtime.enable");
    await send("Inspector.enable");

    const page = {
        send,
        /** The exceptions that no code of the page caught. */
        problems,
        /** Loads a page. */
        go: address => send("Page.navigate", { url: address }),
        /** Evaluates an expression, which may be a promise, in the page. */
        async read(expression) {
            const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
            if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
            return result.value;
        },
        /** Waits until an expression is true. */
        async until(expression, seconds = 20) {
            for (const end = Date.now() + 1000 * seconds; ;) {
                const value = await page.read(expression).catch(() => undefined);
                if (value) return value;
                if (Date.now() > end) throw new Error(`never true within ${seconds} s: ${expression}`);
                await new Promise(resolve => setTimeout(resolve, 20));
            }
        },
        /** Sets the size of the window and the theme of the system. */
        async window(width, height, theme = "light") {
            await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
            await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: theme }] });
        },
        /** Types text where the focus is. */
        type: text => send("Input.insertText", { text }),
        /** Presses a key: its name, its code, and the bits of the modifiers (2 is Ctrl, 8 is Shift). */
        async press(key, code, modifiers = 0) {
            const keyCodes = { Enter: 13, Tab: 9, End: 35, Home: 36, a: 65 };
            const event = { key, code, modifiers, windowsVirtualKeyCode: keyCodes[key], ...(key === "Enter" && { text: "\r" }) };
            if (key === "a" && modifiers === 2) event.commands = ["selectAll"];
            await send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
            await send("Input.dispatchKeyEvent", { type: "keyUp", ...event, text: undefined });
        },
        /** Clicks on the element that a selector finds. */
        async click(selector) {
            const { x, y } = await page.read(`(() => {
                const found = document.querySelector(${JSON.stringify(selector)});
                found.scrollIntoView({ block: "center", behavior: "instant" });
                const { left, top, width, height } = found.getBoundingClientRect();
                return { x: left + width / 2, y: top + height / 2 };
            })()`);
            for (const type of ["mousePressed", "mouseReleased"]) await send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
        },
        /** Writes a picture of the window, or of the whole page. */
        async picture(file, whole = false) {
            const { data } = await send("Page.captureScreenshot", { captureBeyondViewport: whole });
            writeFileSync(file, Buffer.from(data, "base64"));
        },
        async close() {
            await send("Browser.close").catch(() => {});
            await new Promise(resolve => process.exitCode === null ? process.once("exit", resolve) : resolve());
            rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
        },
    };
    return page;
}
