//! Server types as the user writes them.

use mailslot::wire::browser::ServerType;

/// `printq`, `SV_TYPE_PRINTQ`, `domain-ctrl` or `0x200`.
pub(crate) fn parse(text: &str) -> Option<ServerType> {
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    if let Some(bits) = number {
        return Some(ServerType::from_bits_retain(bits));
    }
    let name = text.to_ascii_uppercase().replace('-', "_");
    ServerType::from_name(name.strip_prefix("SV_TYPE_").unwrap_or(&name))
}

/// The names of these types in MS-BRWS, in a row.
pub(crate) fn names(types: ServerType) -> String {
    let names: Vec<_> = types.iter_names().map(|(name, _)| name).collect();
    names.join(", ")
}
