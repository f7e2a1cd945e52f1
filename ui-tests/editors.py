#!/usr/bin/env python3
"""Tests the macro in rust-analyzer: `ui-tests/editors.py`. Takes half a minute. `--show` prints the answers.

Writes a crate with one cell to `target/editors`. At each position below, asks the server for the
definition of a name and its hover text, and renames it. This is not part of CI, which has no
rust-analyzer (`rustup component add rust-analyzer`).
"""

import json
import pathlib
import queue
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "target" / "editors"

SOURCE = """use rnn_cell::prelude::*;

fn start(row: usize, column: usize) -> f64 {
    (row + column) as f64
}

rnn_cell! {
    /// A cell with every feature.
    pub cell Everything<I, H> {
        /// the input
        input x: [I];
        /// the hidden state
        state h, c: [H] = h0;
        /// weights of the gates
        param W_f, W_g: [H, H + I] = xavier_uniform, h0: [H];
        context m: [H];
        buffer leak: [] = 0.3, U: [H, H] = from_fn(start);

        fn swish(u) = u * sigmoid(u) / twice(H);
        fn twice(n) = 2 * n;

        /// the forget gate
        f = sigmoid(W_f @ [h[t-1], x] + m);
        g = swish(W_g @ [h[t-1], x] + U @ h[t-1]);
        c = f * c[t-1] + (1 - f) * g;
        h = leak * tanh(c);
        y = softmax(h + f);

        output h, y;
    }
}

fn main() {
    let cell = Everything::<3, 4>::zeros();
    let context = EverythingContext { m: SVector::zeros() };
    let mut state = cell.initial_state_with(&context);
    let out = cell.step((&SVector::<f32, 3>::zeros(), &context), &mut state);
    println!("{} {} {}", cell.W_f.left, state.c, out.y);
}
"""

# A name, its definition (a bar marks each position), and parts of its hover text.
NAMES = [
    ("sigmoid(|W_f @", "param |W_f", ["weights of the gates", "`[H, H + I]`"]),
    ("param |W_f", "param |W_f", ["weights of the gates", "`[H, H + I]`"]),
    ("|W_g: ", "|W_g: ", ["weights of the gates"]),
    ("W_f @ [|h[t-1]", "state |h", ["the hidden state", "`h = leak * tanh(c)`"]),
    ("c = f * |c[t-1]", "h, |c: [H]", ["the hidden state", "`c = f * c[t-1] + (1 - f) * g`"]),
    ("|c = f *", "h, |c: [H]", ["the hidden state"]),
    ("tanh(|c)", "h, |c: [H]", ["the hidden state"]),
    ("|x] + m", "input |x", ["the input", "`[I]`"]),
    ("+ |m)", "context |m", ["`[H]`"]),
    ("|leak * tanh", "buffer |leak", ["`[]`"]),
    ("|U @", "0.3, |U", ["`[H, H]`"]),
    ("= |h0;", "xavier_uniform, |h0", ["`[H]`"]),
    ("c[t-1] + (1 - |f)", "|f = sigmoid", ["the forget gate", "`[H]`", "`f = sigmoid(W_f @ [h[t-1], x] + m)`"]),
    ("|f = sigmoid", "|f = sigmoid", ["the forget gate"]),
    (") * |g;", "|g = swish", ["`g = swish(W_g @ [h[t-1], x] + U @ h[t-1])`"]),
    ("|H + I]", "<I, |H>", ["const H: usize"]),
    ("twice(|H)", "<I, |H>", ["const H: usize"]),
    ("x: [|I]", "<|I, H>", ["const I: usize"]),
    ("g = |swish", "fn |swish", ["`fn swish(u) = u * sigmoid(u) / twice(H)`"]),
    ("/ |twice", "fn |twice", ["`fn twice(n) = 2 * n`"]),
    ("sigmoid(|u)", "swish(|u) =", []),
    ("from_fn(|start)", "fn |start", []),
    ("output h, |y", "|y = softmax", ["`y = softmax(h + f)`"]),
    ("out.|y", "|y = softmax", ["`y = softmax(h + f)`"]),
    ("state.|c", "h, |c: [H]", ["the hidden state"]),
    ("cell.|W_f", "param |W_f", ["weights of the gates"]),
    ("{ |m: SVector", "context |m", []),
    ("|EverythingContext {", "cell |Everything<", ["values that are the same for a whole sequence"]),
    ("|Everything::<", "cell |Everything<", ["A cell with every feature."]),
]

# A built-in function or initialiser, the file of the library that defines it, and a part of its hover text.
BUILT_IN = [
    ("|sigmoid(W_f", "language.rs", "`y * (1 - y)`"),
    ("|softmax(h", "language.rs", "positive entries with sum 1"),
    ("|xavier_uniform", "initial.rs", "Glorot"),
]

# A position and the name there, which has a single meaning: renaming it must replace it everywhere.
RENAMED = [
    ("sigmoid(|W_f @", "W_f"),
    ("param |W_f", "W_f"),
    ("cell.|W_f", "W_f"),
    ("tanh(|c)", "c"),
    ("|f = sigmoid", "f"),
    ("|x] + m", "x"),
    ("<I, |H>", "H"),
    ("|H + I]", "H"),
    ("g = |swish", "swish"),
    ("sigmoid(|u)", "u"),
    ("out.|y", "y"),
]


class Server:
    """A rust-analyzer process with a connection over its standard input and output."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["rust-analyzer"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.answers = queue.Queue()
        self.is_idle = False
        self.count = 0
        threading.Thread(target=self.listen, daemon=True).start()
        self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": FOLDER.as_uri(),
                "capabilities": {
                    "experimental": {"serverStatusNotification": True},
                    "textDocument": {"hover": {"contentFormat": ["markdown"]}},
                },
                "initializationOptions": {"checkOnSave": False, "cachePriming": {"enable": False}},
            },
        )
        self.tell("initialized", {})

    def listen(self):
        while True:
            length = 0
            while line := self.process.stdout.readline().strip():
                name, value = line.split(b":", 1)
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                return self.answers.put(None)
            message = json.loads(self.process.stdout.read(length))
            if message.get("method") == "experimental/serverStatus":
                self.is_idle = message["params"]["quiescent"]
            elif "method" in message and "id" in message:
                # Requests for settings and registrations get empty answers.
                count = len(message["params"].get("items", [])) if isinstance(message["params"], dict) else 0
                self.send({"id": message["id"], "result": [None] * count if count else None})
            elif "id" in message:
                self.answers.put(message)

    def send(self, message):
        text = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        self.process.stdin.flush()

    def tell(self, method, parameters):
        self.send({"method": method, "params": parameters})

    def ask(self, method, parameters):
        self.count += 1
        self.send({"id": self.count, "method": method, "params": parameters})
        while True:
            message = self.answers.get(timeout=300)
            if message is None:
                sys.exit("rust-analyzer ended")
            if message["id"] == self.count:
                return message.get("result")

    def wait(self):
        """Waits until the server has read the crate, that is until it is idle twice in a row."""
        for _ in range(2):
            time.sleep(1)
            end = time.monotonic() + 300
            while not self.is_idle and time.monotonic() < end:
                time.sleep(0.2)


def offset(marked):
    """Returns the position of the bar in the first occurrence of the text."""
    text = marked.replace("|", "")
    assert SOURCE.count(text) >= 1, f"`{text}` isn't in the source"
    return SOURCE.index(text) + marked.index("|")


def position(at):
    return {"line": SOURCE.count("\n", 0, at), "character": at - (SOURCE.rfind("\n", 0, at) + 1)}


def index(position):
    lines = SOURCE.split("\n")
    return sum(len(line) + 1 for line in lines[: position["line"]]) + position["character"]


def renamed(text):
    """Returns the source with a name replaced, except in comments and in longer names."""
    import re

    lines = [line if "///" in line else re.sub(rf"(?<![\w]){text}(?![\w])", "other", line) for line in SOURCE.split("\n")]
    return "\n".join(lines)


def main():
    try:
        subprocess.run(["rust-analyzer", "--version"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        print("skipped: there is no rust-analyzer (rustup component add rust-analyzer)")
        return 0
    (FOLDER / "src").mkdir(parents=True, exist_ok=True)
    (FOLDER / "src" / "main.rs").write_text(SOURCE)
    (FOLDER / "Cargo.toml").write_text(
        '[package]\nname = "editors"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n'
        f'[dependencies]\nrnn-cell = {{ path = "{ROOT / "runtime"}" }}\n'
    )
    server = Server()
    uri = (FOLDER / "src" / "main.rs").as_uri()
    document = {"uri": uri, "languageId": "rust", "version": 1, "text": SOURCE}
    server.tell("textDocument/didOpen", {"textDocument": document})
    server.wait()
    failures = []

    def look(cursor):
        at = {"textDocument": {"uri": uri}, "position": position(offset(cursor))}
        hover = (server.ask("textDocument/hover", at) or {}).get("contents", {}).get("value", "")
        found = server.ask("textDocument/definition", at) or []
        places = [(place["uri"], index(place["range"]["start"]) if place["uri"] == uri else None) for place in found]
        if "--show" in sys.argv:
            print(f"== {cursor}\n{hover}\n-> {[(place['uri'].rsplit('/', 1)[1], place['range']['start']['line'] + 1) for place in found]}\n")
        return hover, places

    for cursor, definition, words in NAMES:
        hover, places = look(cursor)
        if places != [(uri, offset(definition))]:
            failures.append(f"`{cursor}` leads to {places}, not to `{definition}`")
        failures += [f"hover of `{cursor}` lacks {word}: {hover}" for word in words if word not in hover]
    for cursor, file, word in BUILT_IN:
        hover, places = look(cursor)
        if [place.rsplit("/", 1)[1] for place, _ in places] != [file]:
            failures.append(f"`{cursor}` leads to {places}, not to {file}")
        if word not in hover:
            failures.append(f"hover of `{cursor}` lacks {word}: {hover}")
    for cursor, text in RENAMED:
        at = {"textDocument": {"uri": uri}, "position": position(offset(cursor)), "newName": "other"}
        answer = server.ask("textDocument/rename", at) or {}
        edits = list((answer.get("changes") or {}).get(uri, []))
        for change in answer.get("documentChanges", []):
            edits += change["edits"]
        result = SOURCE
        for edit in sorted(edits, key=lambda edit: -index(edit["range"]["start"])):
            start, end = index(edit["range"]["start"]), index(edit["range"]["end"])
            result = result[:start] + edit["newText"] + result[end:]
        if result != renamed(text):
            changed = [line for line in result.split("\n") if "other" in line]
            failures.append(f"renaming `{cursor}` changes {changed}")
    underlined = server.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}}) or {}
    failures += [f"underlined: {item['message']}" for item in underlined.get("items", [])]
    server.ask("shutdown", None)
    server.tell("exit", None)
    for failure in failures:
        print(failure)
    print(f"{len(NAMES) + len(BUILT_IN) + len(RENAMED)} places, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
