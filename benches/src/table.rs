//! Markdown tables and the format of their figures.

/// A Markdown table.
pub struct Table {
    title: String,
    note: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates a table with the names of its columns.
    pub fn new<N: Into<String>>(title: &str, note: &str, columns: impl IntoIterator<Item = N>) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Table { title: title.to_owned(), note: note.to_owned(), rows: vec![columns] }
    }

    /// Adds a row.
    pub fn row<N: Into<String>>(&mut self, cells: impl IntoIterator<Item = N>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Prints the table without columns that are empty in every row, such as those of peers that
    /// did not run. Prints nothing if there are no rows.
    pub fn print(&self) {
        if self.rows.len() == 1 {
            return;
        }
        println!("\n## {}\n", self.title);
        if !self.note.is_empty() {
            println!("{}\n", self.note);
        }
        let used = |column: &usize| self.rows[1..].iter().any(|row| !row[*column].is_empty());
        let used: Vec<usize> = (0..self.rows[0].len()).filter(used).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let cells: Vec<&str> = used.iter().map(|column| row[*column].as_str()).collect();
            println!("| {} |", cells.join(" | "));
            if index == 0 {
                println!("|{}", " --- |".repeat(used.len()));
            }
        }
    }
}

/// Formats a value with three significant digits, or as a whole number. The text is empty for
/// missing measurements.
pub fn figure(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) if value >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// Formats a fraction as `12 %`. The text is empty for missing measurements.
pub fn percent(fraction: Option<f64>) -> String {
    fraction.map_or(String::new(), |fraction| format!("{:.0} %", 100.0 * fraction))
}
