//! The playground's side in WebAssembly: a text in, a report as JSON out.
//!
//! The page writes a text into the memory that [`input`] returns, calls [`analyse`] or [`rust`],
//! and reads the answer from [`output`]. A panic traps, after [`panicked`] has passed the message
//! to the page, which then discards the instance.

mod gallery;
mod json;

pub use gallery::GALLERY;

use json::Json;
use rnn_cell_compiler::report::{self, Cell, Mistake};

/// Returns the report on a definition as JSON. Places are in UTF-16 units, as in a browser's
/// strings.
pub fn analysed(text: &str) -> String {
    let report = report::report(text);
    let units = Units::of(text);
    let mistakes = report.mistakes.iter().map(|mistake| of_mistake(mistake, text, &units));
    let cells = report.cells.iter().map(of_cell);
    Json::object([("mistakes", Json::list(mistakes)), ("cells", Json::list(cells))]).text()
}

/// Returns the generated Rust of a definition as JSON: a string, or `null` if it has mistakes.
pub fn generated(text: &str) -> String {
    report::rust(text).map_or(Json::null(), |source| Json::string(&source)).text()
}

/// Returns the gallery and the texts that are the same for all definitions, as JSON.
pub fn constants() -> String {
    let cells =
        |cells: &[(&str, &str)]| {
            Json::list(cells.iter().map(|(name, text)| {
                Json::object([("name", Json::string(name)), ("text", Json::string(text))])
            }))
        };
    let gallery = GALLERY.iter().map(|(heading, listed)| {
        Json::object([("heading", Json::string(heading)), ("cells", cells(listed))])
    });
    Json::object([
        ("gallery", Json::list(gallery)),
        ("conventions", Json::string(report::CONVENTIONS)),
        ("version", Json::string(env!("CARGO_PKG_VERSION"))),
    ])
    .text()
}

/// The number of UTF-16 units before each byte of a text.
struct Units(Vec<usize>);

impl Units {
    fn of(text: &str) -> Self {
        let mut units = Vec::with_capacity(text.len() + 1);
        let mut count = 0;
        for character in text.chars() {
            units.extend(std::iter::repeat_n(count, character.len_utf8()));
            count += character.len_utf16();
        }
        units.push(count);
        Units(units)
    }

    fn before(&self, byte: usize) -> usize {
        self.0[byte.min(self.0.len() - 1)]
    }
}

fn of_mistake(mistake: &Mistake, text: &str, units: &Units) -> Json {
    let before = text.get(..mistake.place.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    let strings = |texts: &[String]| Json::list(texts.iter().map(|text| Json::string(text)));
    Json::object([
        ("start", Json::number(units.before(mistake.place.start))),
        ("end", Json::number(units.before(mistake.place.end))),
        ("line", Json::number(line)),
        ("column", Json::number(column)),
        ("fact", Json::string(&mistake.fact)),
        ("notes", strings(&mistake.notes)),
        ("helps", strings(&mistake.helps)),
    ])
}

fn of_cell(cell: &Cell) -> Json {
    Json::object([
        ("name", Json::string(&cell.name)),
        ("summary", Json::string(&cell.summary)),
        ("mathematics", Json::string(&cell.mathematics)),
        ("flow", Json::string(&cell.flow)),
        ("declarations", Json::string(&without_links(&cell.declarations))),
        ("equations", Json::string(&cell.equations)),
        ("backward", Json::string(&cell.backward)),
        ("jacobian", Json::string(&cell.jacobian)),
        ("backwardText", Json::string(&cell.backward_text)),
        ("jacobianText", Json::string(&cell.jacobian_text)),
        ("sizes", Json::string(&without_links(&cell.sizes))),
        ("example", Json::string(&cell.example)),
    ])
}

/// Removes the links from HTML of the compiler. They lead to places on rustdoc's page.
fn without_links(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html.replace("</a>", "");
    while let Some(start) = rest.find("<a ") {
        out.push_str(&rest[..start]);
        let end = rest[start..].find('>').map_or(rest.len(), |end| start + end + 1);
        rest = rest[end..].to_owned();
    }
    out + &rest
}

/// The functions that the page calls.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
mod exports {
    use std::cell::RefCell;

    thread_local! {
        /// The text that the page passes, then the answer.
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(vec![]) };
    }

    #[link(wasm_import_module = "page")]
    unsafe extern "C" {
        /// Receives the message of a panic: the place of its text and its length.
        safe fn panicked(message: *const u8, length: usize);
    }

    /// Returns the place where the page writes a text of a length in bytes.
    #[unsafe(no_mangle)]
    extern "C" fn input(length: usize) -> *mut u8 {
        std::panic::set_hook(Box::new(|panic| {
            let message = panic.to_string();
            panicked(message.as_ptr(), message.len());
        }));
        BUFFER.with_borrow_mut(|buffer| {
            buffer.clear();
            buffer.resize(length, 0);
            buffer.as_mut_ptr()
        })
    }

    /// Returns the place of the answer.
    #[unsafe(no_mangle)]
    extern "C" fn output() -> *const u8 {
        BUFFER.with_borrow(|buffer| buffer.as_ptr())
    }

    fn answer(compute: impl FnOnce(&str) -> String) -> usize {
        let text = BUFFER.take();
        let answer = compute(&String::from_utf8_lossy(&text)).into_bytes();
        let length = answer.len();
        BUFFER.set(answer);
        length
    }

    /// Replaces the text by its report. Returns the length of the answer in bytes, like the
    /// functions below.
    #[unsafe(no_mangle)]
    extern "C" fn analyse() -> usize {
        answer(super::analysed)
    }

    #[unsafe(no_mangle)]
    extern "C" fn rust() -> usize {
        answer(super::generated)
    }

    #[unsafe(no_mangle)]
    extern "C" fn constants() -> usize {
        answer(|_| super::constants())
    }
}
