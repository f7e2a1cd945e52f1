//! The table of published figures and ours.

/// The options of all tasks.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The first random seed. Equal seeds give equal rows for any number of threads.
    pub seed: u64,
    /// True for a short run that executes all code of a task and learns almost nothing.
    pub quick: bool,
}

impl Options {
    /// Returns `full`, or `quick` in a quick run, for numbers of updates, seeds and test sequences.
    pub fn either<V>(&self, full: V, quick: V) -> V {
        if self.quick { quick } else { full }
    }
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// The cell and the setting.
    pub setting: String,
    /// The figure of the paper in its own unit, or "-".
    pub published: String,
    /// The figure of this run.
    pub ours: String,
    /// The comparison of the two figures.
    pub verdict: String,
}

impl Row {
    /// Creates a row of the table.
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

/// Returns the verdict "same" or "differs".
pub fn agreement(same: bool) -> &'static str {
    if same { "same" } else { "differs" }
}

/// Prints rows as an aligned Markdown table.
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
