//! Text that no terminal obeys.

use core::fmt::Write;

/// `text` with control characters, and those that nobody sees or that reorder others, as escapes.
pub(super) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_shown(character) {
            safe.push(character);
        } else {
            // Writing to a string does not fail.
            _ = match u8::try_from(character) {
                Ok(byte) => write!(safe, "\\x{byte:02x}"),
                Err(_) => write!(safe, "\\u{{{:x}}}", u32::from(character)),
            };
        }
    }
    safe
}

fn is_shown(character: char) -> bool {
    // Soft hyphen, marks and overrides of direction, zero-width characters, separators, tags, byte order mark.
    let unseen = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    );
    !character.is_control() && !unseen
}

/// Lower-case hex digits, with `between` between the bytes.
pub(super) fn hex(bytes: &[u8], between: &str) -> String {
    let mut text = String::with_capacity(3 * bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        _ = write!(text, "{}{byte:02x}", if index == 0 { "" } else { between });
    }
    text
}
