//! Upper case per UTF-16 unit, the way object names compare.

/// The upper-case form of one UTF-16 unit.
///
/// Windows compares object names unit by unit with a simple table, not by Unicode case folding. This table is
/// built on the standard library's: a unit has an upper-case form if that is one character of the same plane
/// *and* that character's lower-case form is the unit again. The second condition removes what folding adds
/// and the Windows table lacks: µ and Μ, ſ and S, ı and I, ς and Σ, the Greek symbol letters, the title-case
/// digraphs (ǅ). ß has no single upper-case character; K (U+212A) is no form of k; surrogates are left alone,
/// so the Deseret pairs differ.
pub(crate) fn upcase(unit: u16) -> u16 {
    if unit < 0x80 {
        return match unit {
            0x61..=0x7A => unit & !0x20,
            _ => unit,
        };
    }
    // The Greek letters with iota below have a simple upper-case form that the full mapping spells in two.
    let below = match unit {
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => Some(unit | 8),
        0x1FB3 | 0x1FC3 | 0x1FF3 => Some(unit + 9),
        _ => None,
    };
    if let Some(upper) = below {
        return upper;
    }
    let Some(lower) = char::from_u32(u32::from(unit)) else { return unit };
    let Some(upper) = single(lower.to_uppercase()) else { return unit };
    if single(upper.to_lowercase()) != Some(lower) {
        return unit;
    }
    u16::try_from(u32::from(upper)).unwrap_or(unit)
}

/// Compares units with an ASCII word, ASCII case aside.
pub(crate) fn is_word(units: &[u16], word: &str) -> bool {
    units.len() == word.len()
        && units.iter().zip(word.bytes()).all(|(&u, b)| upcase_ascii(u) == u16::from(b.to_ascii_uppercase()))
}

const fn upcase_ascii(unit: u16) -> u16 {
    match unit {
        0x61..=0x7A => unit & !0x20,
        _ => unit,
    }
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    match chars.next() {
        None => Some(first),
        Some(_) => None,
    }
}
