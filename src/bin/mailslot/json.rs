//! JSON by hand: `decode --json` writes millions of objects a second, each of keys known when this is compiled.
//! No allocation, no search through keys; every line is checked with serde_json in the tests.

use std::net::{Ipv4Addr, SocketAddrV4};

use mailslot::wire::name::{NetbiosName, ScopedName};
use mailslot::wire::oem::CodePage;

/// The two hex digits of each byte.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};

/// The decimal digits of each byte, and how many they are.
const DECIMAL: [(usize, [u8; 3]); 256] = {
    let mut table = [(0, [0; 3]); 256];
    let mut byte = 0;
    while byte < 256 {
        let [hundreds, tens, ones] = [byte / 100, byte / 10 % 10, byte % 10];
        // Digits are below 10.
        #[expect(clippy::cast_possible_truncation)]
        let [h, t, o] = [b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8];
        // What stands behind a short number is the point that follows it.
        table[byte] = match byte {
            0..10 => (1, [o, b'.', b'.']),
            10..100 => (2, [t, o, b'.']),
            _ => (3, [h, t, o]),
        };
        byte += 1;
    }
    table
};

/// A line of JSON, and how to read OEM text.
pub(crate) struct Json<'o> {
    pub(crate) out: &'o mut Vec<u8>,
    pub(crate) page: CodePage,
}

impl Json<'_> {
    /// Keys, punctuation and other text that needs no escaping.
    #[inline]
    pub(crate) fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    #[inline]
    pub(crate) fn number(&mut self, number: impl itoa::Integer) {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// `,"key":number`; the key comes with its punctuation.
    #[inline]
    pub(crate) fn field(&mut self, key: &str, number: impl itoa::Integer) {
        self.raw(key);
        self.number(number);
    }

    /// `,"key":true`; the key comes with its punctuation.
    pub(crate) fn boolean(&mut self, key: &str, value: bool) {
        self.raw(key);
        self.raw(if value { "true" } else { "false" });
    }

    /// Bytes as a string of lower-case hex digits.
    #[inline]
    pub(crate) fn hex(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        let start = self.out.len();
        self.out.resize(start + 2 * bytes.len(), 0);
        let place = self.out.get_mut(start..).unwrap_or_default();
        for (digits, &byte) in place.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
            *digits = HEX[usize::from(byte)];
        }
        self.out.push(b'"');
    }

    /// Text as a string.
    pub(crate) fn string(&mut self, text: &str) {
        self.out.push(b'"');
        if is_plain(text.as_bytes()) {
            self.raw(text)
        } else {
            self.escaped(text)
        }
        self.out.push(b'"');
    }

    /// OEM text as a string.
    #[inline]
    pub(crate) fn oem(&mut self, text: &[u8]) {
        self.out.push(b'"');
        self.oem_inner(text);
        self.out.push(b'"');
    }

    #[inline]
    fn oem_inner(&mut self, text: &[u8]) {
        if is_plain(text) {
            self.out.extend_from_slice(text);
        } else {
            self.escaped(&self.page.decode(text));
        }
    }

    /// Control characters as in `\x01\x02__MSBROWSE__\x02<01>`.
    #[inline]
    fn name_inner(&mut self, name: &NetbiosName) {
        let base = name.base();
        if is_plain(base) {
            self.out.extend_from_slice(base);
        } else {
            self.escaped(&crate::text::name_base(base, self.page));
        }
        let [high, low] = HEX[usize::from(name.suffix().0)];
        self.out.extend_from_slice(&[b'<', high, low, b'>']);
    }

    /// A NetBIOS name as `"NAME<1d>"`, with its scope if it has one: `"NAME<1d>.lab.corpx"`.
    #[inline]
    pub(crate) fn scoped_name(&mut self, name: &ScopedName<'_>) {
        self.out.push(b'"');
        self.name_inner(&name.name);
        if !name.scope.is_none() {
            self.escaped(&format!(".{}", name.scope));
        }
        self.out.push(b'"');
    }

    /// A slot's name, in which the backslashes are all that needs escaping in practice.
    #[inline]
    pub(crate) fn slot(&mut self, name: &[u8]) {
        self.out.push(b'"');
        if name.iter().all(|&byte| byte == b'\\' || is_plain(&[byte])) {
            for &byte in name {
                if byte == b'\\' {
                    self.out.push(b'\\');
                }
                self.out.push(byte);
            }
        } else {
            self.escaped(&self.page.decode(name));
        }
        self.out.push(b'"');
    }

    /// `10.0.0.5`
    #[inline]
    pub(crate) fn ip(&mut self, ip: Ipv4Addr) {
        let mut text = [b'.'; 16];
        let mut end = 0;
        for octet in ip.octets() {
            let (length, digits) = DECIMAL[usize::from(octet)];
            if let Some(place) = text.get_mut(end..end + 3) {
                place.copy_from_slice(&digits);
            }
            end += length + 1;
        }
        self.out.extend_from_slice(text.get(..end - 1).unwrap_or_default());
    }

    /// `10.0.0.5:138`
    #[inline]
    pub(crate) fn address(&mut self, address: SocketAddrV4) {
        self.ip(*address.ip());
        self.field(":", address.port());
    }

    /// Elements with commas between them.
    #[inline]
    pub(crate) fn list<T>(&mut self, elements: impl Iterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        for (index, element) in elements.enumerate() {
            if index > 0 {
                self.raw(",");
            }
            write(self, element);
        }
    }

    #[cold]
    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '"' => self.raw("\\\""),
                '\\' => self.raw("\\\\"),
                '\n' => self.raw("\\n"),
                '\r' => self.raw("\\r"),
                '\t' => self.raw("\\t"),
                // Also what a terminal would take for a command.
                character if character.is_control() => self.raw(&format!("\\u{:04x}", u32::from(character))),
                character => {
                    let mut bytes = [0; 4];
                    let text = character.encode_utf8(&mut bytes);
                    self.out.extend_from_slice(text.as_bytes());
                }
            }
        }
    }
}

/// Whether `text` is printable ASCII that a JSON string holds as it is.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    text.iter()
        .fold(true, |plain, &byte| plain & (0x20..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\'))
}
