//! Definitions to compile: those of the ready cells, read from the library's source, as many times as wanted.

const SOURCES: [&str; 3] = [
    include_str!("../../../../runtime/src/cells/lstm.rs"),
    include_str!("../../../../runtime/src/cells/gru.rs"),
    include_str!("../../../../runtime/src/cells/greff.rs"),
];

/// A cell's definition.
#[derive(Clone)]
pub struct Definition {
    /// The cell's name.
    pub title: String,
    /// What stands within `rnn_cell!`.
    pub text: String,
}

impl Definition {
    /// Lines without comments and empty ones.
    pub fn lines(&self) -> usize {
        self.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
    }
}

/// The ready cells of the dimensions `I` and `H`.
pub fn ready() -> Vec<Definition> {
    const START: &str = "pub cell ";
    let mut all = vec![];
    for source in SOURCES {
        let (_, block) = source.split_once("rnn_cell! {").expect("a file of ready cells");
        let block = &block[..block.rfind('}').expect("it ends")];
        for text in block.split(START).skip(1) {
            // What follows the definition is the doc comment of the next.
            let text = &text[..=text.rfind('}').expect("a definition ends")];
            let title = text.split('<').next().expect("a cell's name");
            all.push(Definition { title: title.to_owned(), text: format!("{START}{text}") });
        }
    }
    all
}

/// The first `count`, again from the start where there are fewer, every one under a name of its own.
pub fn take(ready: &[Definition], count: usize) -> Vec<Definition> {
    let numbered = |(index, cell): (usize, &Definition)| {
        let title = format!("{}{}", cell.title, index / ready.len());
        Definition { text: cell.text.replacen(&cell.title, &title, 1), title }
    };
    ready.iter().cycle().take(count).enumerate().map(numbered).collect()
}
