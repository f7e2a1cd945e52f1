//! The definitions to compile: those of the ready cells, read from the library's source and
//! repeated as often as needed.

const SOURCES: [&str; 3] = [
    include_str!("../../../../runtime/src/cells/gated/lstm.rs"),
    include_str!("../../../../runtime/src/cells/gated/gru.rs"),
    include_str!("../../../../runtime/src/cells/gated/greff.rs"),
];

/// The definition of a cell.
#[derive(Clone)]
pub struct Definition {
    /// The name of the cell.
    pub title: String,
    /// The text inside `rnn_cell!`.
    pub text: String,
}

impl Definition {
    /// Returns the number of lines, without comments and empty lines.
    pub fn lines(&self) -> usize {
        self.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
    }
}

/// Returns the ready cells with the dimensions `I` and `H`.
pub fn ready() -> Vec<Definition> {
    const START: &str = "pub cell ";
    let mut all = vec![];
    for source in SOURCES {
        let (_, block) = source.split_once("rnn_cell! {").expect("the file defines ready cells");
        let block = &block[..block.rfind('}').expect("the block ends")];
        for text in block.split(START).skip(1) {
            // The text after the definition is the doc comment of the next one.
            let text = &text[..=text.rfind('}').expect("the definition ends")];
            let title = text.split('<').next().expect("the cell has a name");
            all.push(Definition { title: title.to_owned(), text: format!("{START}{text}") });
        }
    }
    all
}

/// Returns `count` definitions, repeating them if there are fewer, each under a unique name.
pub fn take(ready: &[Definition], count: usize) -> Vec<Definition> {
    let numbered = |(index, cell): (usize, &Definition)| {
        let title = format!("{}{}", cell.title, index / ready.len());
        Definition { text: cell.text.replacen(&cell.title, &title, 1), title }
    };
    ready.iter().cycle().take(count).enumerate().map(numbered).collect()
}
