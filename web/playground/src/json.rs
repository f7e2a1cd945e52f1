//! A writer of JSON.

/// A value, as text.
pub struct Json(String);

impl Json {
    pub fn null() -> Self {
        Json("null".to_owned())
    }

    pub fn number(value: usize) -> Self {
        Json(value.to_string())
    }

    pub fn string(value: &str) -> Self {
        let mut out = String::with_capacity(value.len() + 2);
        out.push('"');
        for character in value.chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
                other => out.push(other),
            }
        }
        out.push('"');
        Json(out)
    }

    pub fn list(values: impl Iterator<Item = Json>) -> Self {
        let values: Vec<String> = values.map(|value| value.0).collect();
        Json(format!("[{}]", values.join(",")))
    }

    /// Returns an object. Its keys need no escaping.
    pub fn object<const N: usize>(fields: [(&str, Json); N]) -> Self {
        let fields = fields.map(|(key, value)| format!("\"{key}\":{}", value.0));
        Json(format!("{{{}}}", fields.join(",")))
    }

    pub fn text(self) -> String {
        self.0
    }
}
