//! JSON by hand: `decode --json` writes millions of objects a second, each of keys known when this is compiled.
//! No allocation, no search through keys; every line is checked with serde_json in the tests.

use std::net::{Ipv4Addr, SocketAddrV4};

use mailslot::wire::name::{NetbiosName, ScopedName};
use mailslot::wire::oem::CodePage;
use mailslot::wire::smb::MAILSLOT_PREFIX;

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

/// The lower-case digit of a number below 16.
#[inline]
const fn hex_digit(nibble: u8) -> u8 {
    nibble + if nibble < 10 { b'0' } else { b'a' - 10 }
}

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
        let place = self.out.get_mut(start..).unwrap_or_default().as_chunks_mut::<2>().0;
        // Sixteen bytes at a time, in a form that the compiler makes vector instructions of.
        let (blocks, rest) = bytes.as_chunks::<16>();
        let (wide, narrow) = place.as_chunks_mut::<16>();
        for (digits, block) in wide.iter_mut().zip(blocks) {
            let (high, low) =
                (block.map(|byte| hex_digit(byte >> 4)), block.map(|byte| hex_digit(byte & 15)));
            for (pair, (high, low)) in digits.iter_mut().zip(high.into_iter().zip(low)) {
                *pair = [high, low];
            }
        }
        for (digits, &byte) in narrow.iter_mut().zip(rest) {
            *digits = HEX[usize::from(byte)];
        }
        self.out.push(b'"');
    }

    /// A word that needs no escaping, as a string.
    #[inline]
    pub(crate) fn word(&mut self, word: &'static str) {
        self.raw("\"");
        self.raw(word);
        self.raw("\"");
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
        } else if base.is_ascii() {
            for &byte in base {
                if byte.is_ascii_control() {
                    let [high, low] = HEX[usize::from(byte)];
                    self.out.extend_from_slice(&[b'\\', b'\\', b'x', high, low]);
                } else {
                    self.ascii(byte);
                }
            }
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
        let rest = name.strip_prefix(MAILSLOT_PREFIX).filter(|rest| is_plain(rest));
        if let Some(rest) = rest {
            self.raw(r"\\MAILSLOT\\");
            self.out.extend_from_slice(rest);
        } else if name.is_ascii() {
            name.iter().for_each(|&byte| self.ascii(byte));
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

    /// One character of ASCII in a string.
    fn ascii(&mut self, byte: u8) {
        match byte {
            b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', byte]),
            0x20..0x7f => self.out.push(byte),
            _ => self.escaped(char::from(byte).encode_utf8(&mut [0; 4])),
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
