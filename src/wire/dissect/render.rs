//! The tree as lines of text.

use core::fmt::{self, Write};

use super::text;
use super::tree::{Kind, Node, Tree, Value};

/// Width of the indented names, in characters.
const NAMES: usize = 28;

/// How much of a tree's bytes and texts is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderOptions {
    /// Bytes shown per field. A longer one is cut, and says how many follow.
    pub most_bytes: usize,
    /// Characters shown per text.
    pub most_text: usize,
}

/// 8 bytes, 100 characters.
impl Default for RenderOptions {
    fn default() -> Self {
        Self { most_bytes: 8, most_text: 100 }
    }
}

impl Tree<'_> {
    /// One line per node: offset (decimal, as in errors), bytes, name, value, meaning. Below damage stands
    /// `^^ offset 57: data_offset reaches 300, the bound is 180`, its `^^` under the byte where that is shown.
    pub fn render(&self, options: &RenderOptions) -> String {
        let mut out = String::new();
        for (depth, node) in self.walk() {
            // Writing to a string does not fail.
            _ = self.line(&mut out, depth, node, options);
        }
        out
    }

    fn line(&self, out: &mut String, depth: usize, node: &Node, options: &RenderOptions) -> fmt::Result {
        // "xx " for each byte, and room for what tells that there are more.
        let width = options.most_bytes.max(4).saturating_mul(3).saturating_add(1);
        let bytes = match node.kind {
            Kind::Field => self.bytes_of(node),
            _ => &[],
        };
        let shown =
            if bytes.len() > options.most_bytes { options.most_bytes.saturating_sub(2) } else { bytes.len() };
        let (first, more) = bytes.split_at_checked(shown).unwrap_or((bytes, &[]));
        let mut hex = text::hex(first, " ");
        if !more.is_empty() {
            write!(hex, " +{}", more.len())?;
        }
        let indent = depth.saturating_mul(2);
        let line_start = out.len();
        match node.kind {
            Kind::Part => write!(out, "      ")?,
            _ => write!(out, "{:04}  ", node.span.start)?,
        }
        write!(out, "{hex:width$}{:indent$}{:names$}", "", node.field, names = NAMES.saturating_sub(indent))?;
        match &node.value {
            Value::None if !more.is_empty() => write!(out, " {} bytes", bytes.len())?,
            Value::None => {}
            Value::Text(text) => {
                let cut: String = text.chars().take(options.most_text).collect();
                let more = text.chars().count().saturating_sub(options.most_text);
                write!(out, " \"{cut}\"")?;
                if more > 0 {
                    write!(out, " +{more}")?;
                }
            }
            value => write!(out, " {value}")?,
        }
        if let Some(meaning) = &node.meaning {
            write!(out, " {meaning}")?;
        }
        out.truncate(out.trim_end().len().max(line_start));
        out.push('\n');
        if let Some(error) = &node.error {
            let byte = error.offset.saturating_sub(node.span.start);
            let under = if byte <= shown { byte.saturating_mul(3) } else { 0 };
            let place = under.saturating_add(6);
            writeln!(out, "{:place$}^^ offset {}: {} {}", "", error.offset, error.field, error.kind)?;
        }
        Ok(())
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&RenderOptions::default()))
    }
}
