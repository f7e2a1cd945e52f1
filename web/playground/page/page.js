"use strict";
const element = id => document.getElementById(id);
const [text, shown, verdict] = ["text", "shown", "verdict"].map(element);

// ---- The compiler, in a worker, so that typing never waits for it.

/** Milliseconds after which a worker that does not answer is replaced. */
const PATIENCE = 10_000;
const workerAddress = URL.createObjectURL(new Blob([element("worker").textContent], { type: "text/javascript" }));
/** The compressed module, which is at the end of the page: the worker starts while the browser still reads it. */
const compressed = new Promise(resolve => addEventListener("DOMContentLoaded", () => resolve(element("module").textContent.trim())));
const waiting = new Map();
let worker = startWorker();
let questions = 0;

function startWorker() {
    const worker = new Worker(workerAddress);
    compressed.then(module => worker.postMessage(module));
    worker.onmessage = ({ data }) => settle(data);
    worker.onerror = ({ message }) => [...waiting.keys()].forEach(id => settle({ id, failure: message }));
    return worker;
}

function settle({ id, answer, failure }) {
    const { resolve, reject, timer } = waiting.get(id) ?? {};
    clearTimeout(timer);
    waiting.delete(id);
    if (failure === undefined) resolve?.(JSON.parse(answer));
    else reject?.(new Error(failure));
}

/** Calls a function of the module with a text. */
function ask(call, text) {
    return new Promise((resolve, reject) => {
        const id = questions++;
        const timer = setTimeout(() => {
            worker.terminate();
            worker = startWorker();
            [...waiting.keys()].forEach(id => settle({ id, failure: `no answer within ${PATIENCE / 1000} s` }));
        }, PATIENCE);
        waiting.set(id, { resolve, reject, timer });
        compressed.then(() => worker.postMessage({ id, call, text }));
    });
}

/** Returns a function that runs `work`, and once more if it was called in the meantime. */
function latest(work) {
    let state = "idle";
    return async () => {
        if (state !== "idle") return void (state = "again");
        do {
            state = "busy";
            await work();
        } while (state === "again");
        state = "idle";
    };
}

// ---- The editor: a transparent text area above its coloured copy.

const TOKENS = /(\/\/[^\n]*|\/\*[^]*?\*\/)|\b(pub|cell|input|context|state|param|buffer|output|fn|and|or|not)\b|((?<![\w.])\d[\w.]*(?:e[+-]?\d+)?)|([\p{L}_][\p{L}\d_]*)(?=\s*\()|(@|\.T\b)/gu;
const CLASSES = ["", "comment", "keyword", "number", "function", "product"];

const escaped = text => text.replace(/[&<>"]/g, letter => `&#${letter.charCodeAt(0)};`);

/** Returns the ranges of a text's tokens: start, end, class. */
const tokens = (text, language = TOKENS) => [...text.matchAll(language)].map(found => [found.index, found.index + found[0].length, CLASSES[found.findIndex((group, index) => index > 0 && group !== undefined)]]);

/** Writes a text as HTML in which each range has its class. Ranges may overlap. */
function marked(text, ranges) {
    const edges = [...new Set([0, text.length, ...ranges.flatMap(([start, end]) => [start, end])])].sort((a, b) => a - b);
    return edges.slice(1).map((end, index) => {
        const start = edges[index];
        const classes = ranges.filter(range => range[0] <= start && range[1] >= end).map(range => range[2]).join(" ");
        const part = escaped(text.slice(start, end));
        return classes === "" ? part : `<span class="${classes}">${part}</span>`;
    }).join("");
}

const RUST = /(\/\/[^\n]*)|\b(as|async|await|const|crate|else|enum|extern|fn|for|if|impl|in|let|loop|match|mod|move|mut|pub|ref|return|self|Self|static|struct|super|trait|type|unsafe|use|where|while)\b|((?<![\w.])\d[\w.]*)|([a-z_][\w]*!?)(?=\(|::<)|(#!?\[[^\]\n]*\])/g;

const coloured = (text, language) => marked(text, tokens(text, language));
let mistakes = [];

function colour() {
    const end = text.value.length;
    const ranges = mistakes.map(({ start, end: stop }) => {
        // The end of the text has no letter to underline.
        const [from, to] = [Math.min(start, end - 1), Math.min(Math.max(stop, start + 1), end)];
        return [Math.max(from, 0), to, "mistake"];
    });
    shown.innerHTML = marked(text.value, [...tokens(text.value), ...ranges]) + "\n";
    const lines = text.value.split("\n").length;
    shown.dataset.lines = Array.from({ length: lines }, (_, line) => line + 1).join("\n");
}

text.addEventListener("keydown", event => {
    // A new line is as far indented as the last one.
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey) return;
    const indentation = /[^\n]*$/.exec(text.value.slice(0, text.selectionStart))[0].match(/^\s*/)[0];
    if (indentation !== "" && document.execCommand("insertText", false, "\n" + indentation)) event.preventDefault();
});
text.addEventListener("input", () => changed());

// ---- What the compiler says.

const inCode = text => text.split("`").map((part, index) => index % 2 ? `<code>${escaped(part)}</code>` : escaped(part)).join("");

function showMistakes(report) {
    mistakes = report.mistakes;
    element("mistakes").innerHTML = mistakes.map(({ line, column, fact, notes, helps }, index) =>
        `<li><button type="button" data-mistake="${index}"><span class="place">${line}:${column}</span> <span class="fact">${inCode(fact)}</span></button>` +
        notes.map(note => `<p class="note"><b>note</b> ${inCode(note)}</p>`).join("") +
        helps.map(help => `<p class="help"><b>help</b> ${inCode(help)}</p>`).join("") + "</li>").join("");
    colour();
}

element("mistakes").addEventListener("click", event => {
    const mistake = mistakes[event.target.closest("button")?.dataset.mistake];
    if (!mistake) return;
    text.focus();
    text.setSelectionRange(mistake.start, Math.max(mistake.end, mistake.start + 1));
});

const plain = (text, language) => `<pre class="code" tabindex="0">${coloured(text, language)}</pre>`;
const wide = html => `<div class="wide" tabindex="0">${html}</div>`;
const opened = new Set();
const folded = (title, text) => `<details data-of="${title}"${opened.has(title) ? " open" : ""}><summary>As text</summary>${plain(text)}</details>`;
element("cells").addEventListener("toggle", ({ target }) => opened[target.open ? "add" : "delete"](target.dataset.of), true);

const SECTIONS = [
    ["Equations", cell => cell.mathematics + constants.conventions],
    ["Data flow", cell => wide(cell.flow)],
    ["Shapes", cell => cell.declarations],
    ["Backward", cell => `<p>A bar marks a cotangent, ∑ sums over steps and samples. Values without an index are those of the step; the cotangent with the index <math><mi>t</mi></math> is the one that the next step passes back.</p>${cell.backward}${folded("Backward", cell.backwardText)}`],
    ["Jacobian", cell => cell.jacobianText === "" ? "<p>The cell has no state.</p>" : cell.jacobianText.startsWith("The ") ? `<p>${escaped(cell.jacobianText)}</p>` : `${cell.jacobian}${folded("Jacobian", cell.jacobianText)}`],
    ["Cost", cell => cell.sizes],
    ["Use", cell => plain(cell.example, RUST)],
];

function showCells(report) {
    const key = (cell, title) => `${title} ${report.cells.indexOf(cell)}`.trim().replaceAll(" ", "-").toLowerCase();
    element("cells").innerHTML = report.cells.map(cell =>
        `<article><h2>${escaped(cell.name)}</h2>${cell.summary && `<p class="summary">${cell.summary}</p>`}` +
        SECTIONS.map(([title, write]) => `<section id="${key(cell, title)}"><h3>${title}</h3>${write(cell)}</section>`).join("") + "</article>").join("");
    const first = report.cells[0];
    element("places").innerHTML = [...SECTIONS.map(([title]) => [title, key(first, title)]), ["Rust", "rust"]]
        .map(([title, target]) => `<button type="button" data-place="${target}">${title}</button>`).join("");
}

element("places").addEventListener("click", event => {
    const place = element(event.target.dataset.place ?? "");
    if (place?.id === "rust") place.open = true;
    place?.scrollIntoView({ block: "start" });
});

const update = latest(async () => {
    const source = text.value;
    const start = performance.now();
    try {
        const report = await ask("analyse", source);
        const count = report.mistakes.length;
        document.body.dataset.verdict = count === 0 ? "correct" : "mistakes";
        const found = count === 1 ? "1 mistake" : `${count} mistakes`;
        verdict.textContent = count === 0 ? `Compiled in ${Math.max(1, Math.round(performance.now() - start))} ms` :
            element("rust").hidden ? found : `${found}; the results are those of the last correct definition`;
        showMistakes(report);
        if (count === 0) {
            showCells(report);
            element("rust").hidden = false;
            await showRust(source);
        }
    } catch (error) {
        document.body.dataset.verdict = "failed";
        verdict.textContent = `The compiler stopped, which is a bug in rnn-cell; please report it with the definition. (${error.message})`;
        showMistakes({ mistakes: [] });
    }
    document.body.dataset.shown = source.length;
});

async function showRust(source) {
    if (!element("rust").open || document.body.dataset.verdict !== "correct") return;
    const code = await ask("rust", source);
    element("rust").querySelector("pre").innerHTML = coloured(code, RUST);
    element("lines").textContent = `${code.split("\n").length.toLocaleString("en")} lines`;
}
element("rust").addEventListener("toggle", () => update());

async function copied(button, content) {
    const label = button.textContent;
    const done = await navigator.clipboard.writeText(content).then(() => true, () => false);
    button.textContent = done ? "Copied" : "Copying was refused";
    setTimeout(() => button.textContent = label, 1500);
}
element("copy").addEventListener("click", event => copied(event.target, element("rust").querySelector("pre").textContent));

// ---- Links: `#Lstm` is a cell of the gallery, `#text=..` a compressed definition.

const through = async (bytes, stream) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
const named = name => constants.gallery.flatMap(({ cells }) => cells).find(cell => cell.name === name);

async function fragment() {
    const chosen = named(element("gallery").value);
    if (chosen?.text === text.value) return "#" + chosen.name;
    const bytes = await through(new TextEncoder().encode(text.value), new CompressionStream("deflate-raw"));
    return "#text=" + btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function definition(fragment) {
    const [name, packed] = fragment.slice(1).split("text=");
    if (packed === undefined) return named(decodeURIComponent(name))?.text;
    const letters = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder().decode(await through(Uint8Array.from(letters, letter => letter.charCodeAt(0)), new DecompressionStream("deflate-raw")));
}

async function follow() {
    const found = await definition(location.hash).catch(() => undefined);
    if (found === undefined && location.hash !== "") verdict.textContent = "The link holds no definition.";
    if (found === undefined || found === text.value) return;
    text.value = found;
    const cell = constants.gallery.flatMap(({ cells }) => cells).find(cell => cell.text === found);
    element("gallery").value = cell?.name ?? "";
    colour();
    await update();
}

const remember = latest(async () => {
    await new Promise(resolve => setTimeout(resolve, 300));
    history.replaceState(null, "", await fragment());
});

function changed() {
    mistakes = [];
    const chosen = named(element("gallery").value);
    if (chosen?.text !== text.value) element("gallery").value = "";
    colour();
    update();
    remember();
}

addEventListener("hashchange", follow);
element("link").addEventListener("click", async event => {
    history.replaceState(null, "", await fragment());
    copied(event.target, location.href);
});
element("gallery").addEventListener("change", ({ target }) => {
    text.value = named(target.value)?.text ?? text.value;
    text.setSelectionRange(0, 0);
    changed();
});

// ---- The theme: the system's, or the other one.

const THEMES = { "": ["◐", "that of the system"], light: ["☀", "light"], dark: ["☾", "dark"] };
function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    const [sign, name] = THEMES[theme];
    Object.assign(element("theme"), { textContent: sign, title: `Colours: ${name}` });
    element("theme").setAttribute("aria-label", `Colours: ${name}`);
    try { localStorage.setItem("theme", theme); } catch { /* A page of a file may have no storage. */ }
}
element("theme").addEventListener("click", () => {
    const themes = Object.keys(THEMES);
    setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]);
});

// ---- The start.

let constants;
(async () => {
    let theme;
    try { theme = localStorage.getItem("theme"); } catch { /* as above */ }
    setTheme(theme in THEMES ? theme : "");
    constants = await ask("constants", "");
    element("gallery").innerHTML = '<option value="" disabled>a definition of your own</option>' + constants.gallery.map(({ heading, cells }) =>
        `<optgroup label="${escaped(heading)}">${cells.map(({ name }) => `<option>${name}</option>`).join("")}</optgroup>`).join("");
    await follow();
    if (text.value === "") {
        element("gallery").value = "Lstm";
        text.value = named("Lstm").text;
        colour();
        await update();
    }
    document.body.dataset.ready = Math.round(performance.now());
})();
