//! The table: published figures beside ours.

/// How the tasks are to be run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Where randomness starts; equal seeds give equal rows, whatever the number of threads.
    pub seed: u64,
    /// A run of a second or two that goes through all of a task's code and learns next to nothing.
    pub quick: bool,
}

impl Options {
    /// `full`, or `quick` in a quick run: for numbers of updates, seeds and test sequences.
    pub fn either<V>(&self, full: V, quick: V) -> V {
        if self.quick { quick } else { full }
    }
}

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// The cell and the setting.
    pub setting: String,
    /// What the paper reports, in its own unit; "-" where it reports nothing.
    pub published: String,
    /// The same figure of this run.
    pub ours: String,
    /// Whether both say the same, and what differs.
    pub verdict: String,
}

impl Row {
    /// A line of the table.
    pub fn new(
        setting: impl Into<String>,
        published: impl Into<String>,
        ours: impl Into<String>,
        verdict: impl Into<String>,
    ) -> Self {
        Row {
            setting: setting.into(),
            published: published.into(),
            ours: ours.into(),
            verdict: verdict.into(),
        }
    }
}

/// A verdict in a word.
pub fn agreement(same: bool) -> &'static str {
    if same { "same" } else { "differs" }
}

/// Prints rows as a table that is one in Markdown too.
pub fn print(rows: &[Row]) {
    let header = Row::new("setting", "published", "ours", "verdict");
    let columns: [fn(&Row) -> &str; 4] = [|r| &r.setting, |r| &r.published, |r| &r.ours, |r| &r.verdict];
    let width = |column: fn(&Row) -> &str| {
        rows.iter().chain([&header]).map(|row| column(row).chars().count()).max().unwrap_or(0)
    };
    let widths = columns.map(width);
    let line = |row: &Row| {
        for (column, width) in columns.iter().zip(widths) {
            print!("| {:<width$} ", column(row));
        }
        println!("|");
    };
    line(&header);
    widths.iter().for_each(|&width| print!("| {} ", "-".repeat(width)));
    println!("|");
    rows.iter().for_each(line);
}
