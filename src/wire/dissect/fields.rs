//! The cursor that builds a tree.

use core::mem;
use core::net::Ipv4Addr;
use core::ops::Range;

use super::text;
use super::tree::{Kind, Node, Tree, Value};
use crate::wire::error::{DecodeError, Layer};
use crate::wire::name::{self, NetbiosName, ScopedName};
use crate::wire::oem::CodePage;
use crate::wire::read;

/// Most nodes of a tree, not counting those that close it.
pub const MAX_NODES: usize = 4096;

/// How deep layers, groups and jumps may stand in one another.
pub const MAX_DEPTH: usize = 32;

/// What belongs to the layer at hand.
#[derive(Default)]
struct Scope {
    /// Offset of the layer's first byte.
    start: usize,
    /// The codec's error, until its place is met.
    expected: Option<DecodeError>,
    /// Fields whose error leaves the layout behind them known.
    past: &'static [&'static str],
    /// Nothing more can be said of this layer.
    stopped: bool,
    /// Jumps one is in.
    jumps: usize,
    /// Bytes that jumps have covered.
    jumped: Vec<Range<usize>>,
    value: Value,
}

/// A cursor over a frame's bytes whose verbs each add a field to the tree. They never fail: one that meets the end
/// of the bytes, or the damage, shows what is there and stops the layer, after which verbs do nothing and give 0.
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    page: CodePage,
    /// Where the next field begins, and the end of what may be read. `position <= end <= bytes.len()`.
    position: usize,
    end: usize,
    /// The children of the node at hand.
    nodes: Vec<Node>,
    /// Whether the last verb added a node, which [`Self::mean`] may then speak of.
    added: bool,
    count: usize,
    depth: usize,
    /// There are [`MAX_NODES`] nodes.
    full: bool,
    scope: Scope,
}

macro_rules! numbers {
    ($($name:ident $hex_name:ident: $type:ty = $from:ident;)*) => {$(
        /// A number, shown in decimal.
        #[allow(dead_code, reason = "the set of verbs is whole, whichever of them today's layers need")]
        pub(super) fn $name(&mut self, field: &'static str) -> $type {
            let number = self.fixed(field).map_or(0, <$type>::$from);
            self.set_value(|| Value::Number(number.into()));
            number
        }

        /// A number, shown in hex.
        #[allow(dead_code, reason = "the set of verbs is whole, whichever of them today's layers need")]
        pub(super) fn $hex_name(&mut self, field: &'static str) -> $type {
            let number = self.fixed(field).map_or(0, <$type>::$from);
            self.set_value(|| Value::Shown(format!("0x{number:0width$x}", width = 2 * size_of::<$type>())));
            number
        }
    )*};
}

impl<'a> Fields<'a> {
    /// The tree of `bytes` that `body` builds.
    pub(super) fn read(bytes: &'a [u8], page: CodePage, body: impl FnOnce(&mut Self)) -> Tree<'a> {
        let mut fields = Self {
            bytes,
            page,
            position: 0,
            end: bytes.len(),
            nodes: Vec::new(),
            added: false,
            count: 0,
            depth: 0,
            full: false,
            scope: Scope::default(),
        };
        body(&mut fields);
        fields.rest("trailing");
        if fields.full {
            let shown = Value::Number(fields.count as u64);
            let mut node = Node::new(Kind::Field, "limit", fields.position..bytes.len(), shown);
            node.meaning = Some("nodes are shown, the rest is not".to_owned());
            fields.nodes.push(node);
        }
        Tree::new(bytes, fields.nodes)
    }

    // ── where one is ──

    /// The bytes that are left.
    pub(super) fn peek(&self) -> &'a [u8] {
        self.bytes.get(self.position..self.end).unwrap_or_default()
    }

    /// How many bytes are left.
    pub(super) const fn left(&self) -> usize {
        self.end.saturating_sub(self.position)
    }

    /// Whether there are bytes left, and verbs still read them: for lists.
    pub(super) const fn more(&self) -> bool {
        self.is_live() && self.left() > 0
    }

    /// Offset of the next field from the layer's first byte.
    pub(super) const fn offset(&self) -> usize {
        self.position.saturating_sub(self.scope.start)
    }

    const fn is_live(&self) -> bool {
        !self.scope.stopped && !self.full
    }

    /// Nothing more can be said of this layer; the rest of it becomes `unread`.
    pub(super) const fn stop(&mut self) {
        self.scope.stopped = true;
    }

    /// Errors of these fields of the layer do not stop it: the layout behind them is known.
    pub(super) const fn reads_past(&mut self, fields: &'static [&'static str]) {
        self.scope.past = fields;
    }

    // ── structure ──

    /// A layer that takes all bytes that are left; `check` is its codec.
    pub(super) fn layer(
        &mut self,
        layer: Layer,
        check: impl FnOnce(&'a [u8]) -> Option<DecodeError>,
        body: impl FnOnce(&mut Self),
    ) {
        if !self.enter() {
            return;
        }
        let start = self.position;
        let expected = check(self.peek()).map(|error| error.at(start));
        let outer = mem::replace(&mut self.scope, Scope { start, expected, ..Scope::default() });
        let siblings = mem::take(&mut self.nodes);
        body(self);
        self.place_error();
        self.close_layer();
        let scope = mem::replace(&mut self.scope, outer);
        let mut node = Node::new(Kind::Layer(layer), layer.name(), start..self.position, scope.value);
        node.children = mem::replace(&mut self.nodes, siblings);
        self.leave(node);
    }

    /// What no field of the layer has covered.
    fn close_layer(&mut self) {
        if self.full {
            return;
        }
        let field = if self.scope.stopped { "unread" } else { "trailing" };
        let mut jumped = mem::take(&mut self.scope.jumped);
        jumped.sort_by_key(|range| range.start);
        for range in jumped {
            self.remainder(field, range.start);
            self.position = self.position.max(range.end).min(self.end);
        }
        self.remainder(field, self.end);
        self.position = self.end;
    }

    /// A field of the bytes up to `end`, if there are any. Closes a layer, and is not counted.
    fn remainder(&mut self, field: &'static str, end: usize) {
        if self.position < end {
            let end = end.min(self.end);
            self.nodes.push(Node::new(Kind::Field, field, self.position..end, Value::None));
            self.position = end;
        }
    }

    /// Fields that belong together.
    pub(super) fn group(&mut self, field: &'static str, body: impl FnOnce(&mut Self)) {
        if !self.enter() {
            return;
        }
        let start = self.position;
        let siblings = mem::take(&mut self.nodes);
        body(self);
        let mut node = Node::new(Kind::Group, field, start..self.position, Value::None);
        node.children = mem::replace(&mut self.nodes, siblings);
        self.leave(node);
    }

    /// The next `length` bytes (or as many as there are), and no others; what `body` leaves of them is `trailing`.
    pub(super) fn within(&mut self, length: usize, body: impl FnOnce(&mut Self)) {
        let outer = self.end;
        self.end = self.position.saturating_add(length).min(outer);
        body(self);
        self.rest("trailing");
        self.end = outer;
    }

    /// Fields that stand `offset` bytes from the layer's first byte; the cursor stays. An offset outside what may
    /// be read does nothing: the field that holds it carries the error.
    #[allow(dead_code, reason = "the set of verbs is whole, whichever of them today's layers need")]
    pub(super) fn jump(&mut self, field: &'static str, offset: usize, body: impl FnOnce(&mut Self)) {
        let target = self.scope.start.saturating_add(offset);
        if target > self.end || !self.enter() {
            return;
        }
        let back = mem::replace(&mut self.position, target);
        let siblings = mem::take(&mut self.nodes);
        self.scope.jumps = self.scope.jumps.saturating_add(1);
        body(self);
        self.scope.jumps = self.scope.jumps.saturating_sub(1);
        let span = target..self.position;
        self.position = back;
        self.scope.jumped.push(span.clone());
        let mut node = Node::new(Kind::Jump, field, span, Value::None);
        node.children = mem::replace(&mut self.nodes, siblings);
        self.leave(node);
    }

    /// Whether a node with children may begin.
    fn enter(&mut self) -> bool {
        self.added = false;
        if self.depth >= MAX_DEPTH {
            self.rest("unread");
            self.mean(Some("nested too deep"));
            return false;
        }
        if !self.admit(self.position) {
            return false;
        }
        self.depth = self.depth.saturating_add(1);
        true
    }

    fn leave(&mut self, node: Node) {
        self.depth = self.depth.saturating_sub(1);
        self.nodes.push(node);
        self.added = true;
    }

    /// The value of the layer at hand: what kind of frame it is.
    pub(super) fn title(&mut self, title: &str) {
        self.scope.value = Value::Shown(text::safe(title));
    }

    // ── fields ──

    /// Whether a node may be added at `start`. One is refused behind damage that no field was named for.
    fn admit(&mut self, start: usize) -> bool {
        if self.is_live()
            && self.scope.jumps == 0
            && self
                .scope
                .expected
                .is_some_and(|error| error.offset < start && !self.scope.past.contains(&error.field))
        {
            self.place_error();
        }
        if self.count >= MAX_NODES {
            self.full = true;
        }
        if !self.is_live() {
            return false;
        }
        self.count = self.count.saturating_add(1);
        true
    }

    /// A node for the error whose field was not met.
    fn place_error(&mut self) {
        if let Some(error) = self.scope.expected.take() {
            let mut node = Node::new(Kind::Field, error.field, error.offset..error.offset, Value::None);
            node.error = Some(error);
            self.nodes.push(node);
            self.stop();
        }
    }

    /// Adds the field of the next `length` bytes, which are there.
    fn add(&mut self, field: &'static str, length: usize) {
        let span = self.position..self.position.saturating_add(length).min(self.end);
        self.position = span.end;
        let mut node = Node::new(Kind::Field, field, span, Value::None);
        if let Some(error) = self.scope.expected
            && error.field == field
            && node.span.start <= error.offset
            && error.offset <= node.span.end
        {
            node.error = self.scope.expected.take();
            if !self.scope.past.contains(&field) {
                self.stop();
            }
        }
        self.nodes.push(node);
        self.added = true;
    }

    /// A field of `length` bytes. Where fewer are left, these are shown without a value, and the layer stops.
    fn take(&mut self, field: &'static str, length: usize) -> Option<&'a [u8]> {
        self.added = false;
        if !self.admit(self.position) {
            return None;
        }
        let taken = self.peek().get(..length);
        self.add(field, length.min(self.left()));
        if taken.is_none() {
            self.mean(Some("cut"));
            self.stop();
            self.added = false;
        }
        taken
    }

    fn fixed<const N: usize>(&mut self, field: &'static str) -> Option<[u8; N]> {
        self.take(field, N)?.first_chunk().copied()
    }

    fn last(&mut self) -> Option<&mut Node> {
        if self.added { self.nodes.last_mut() } else { None }
    }

    fn set_value(&mut self, value: impl FnOnce() -> Value) {
        if let Some(node) = self.last() {
            node.value = value();
        }
    }

    numbers! {
        u8 hex_u8: u8 = from_be_bytes;
        u16_be hex_u16_be: u16 = from_be_bytes;
        u16_le hex_u16_le: u16 = from_le_bytes;
        u32_be hex_u32_be: u32 = from_be_bytes;
        u32_le hex_u32_le: u32 = from_le_bytes;
        u64_le hex_u64_le: u64 = from_le_bytes;
    }

    /// An IPv4 address, in network order.
    pub(super) fn ipv4(&mut self, field: &'static str) -> Ipv4Addr {
        let address = self.fixed::<4>(field).map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from);
        self.set_value(|| Value::Shown(address.to_string()));
        address
    }

    /// `length` bytes; printable ASCII is shown as text.
    pub(super) fn bytes(&mut self, field: &'static str, length: usize) -> &'a [u8] {
        let bytes = self.take(field, length).unwrap_or_default();
        let text = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        if text.len() >= 4 && text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            let page = self.page;
            self.set_value(|| Value::Text(page.decode(text)));
        }
        bytes
    }

    /// All bytes that are left, if there are any.
    pub(super) fn rest(&mut self, field: &'static str) {
        self.added = false;
        if self.more() {
            self.bytes(field, self.left());
        }
    }

    /// `padding` up to `offset` from the layer's first byte; an offset that cannot be reached stops the layer.
    pub(super) fn pad_to(&mut self, offset: usize) {
        match offset.checked_sub(self.offset()) {
            Some(0) => {}
            Some(length) if length <= self.left() => _ = self.take("padding", length),
            _ => self.stop(),
        }
    }

    /// OEM text with its NUL, or without one up to the end; nothing where no bytes are left. Gives the text.
    pub(super) fn oem_z(&mut self, field: &'static str) -> &'a [u8] {
        self.added = false;
        let rest = self.peek();
        if rest.is_empty() {
            return rest;
        }
        let text_length = memchr::memchr(0, rest);
        let taken = self.take(field, text_length.map_or(rest.len(), |length| length.saturating_add(1)));
        let taken = taken.unwrap_or_default();
        let text = taken.strip_suffix(b"\0").unwrap_or(taken);
        self.set_oem(text);
        if text_length.is_none() {
            self.mean(Some("no NUL"));
        }
        text
    }

    /// OEM text that must have a NUL. Gives the text.
    pub(super) fn oem_to_nul(&mut self, field: &'static str) -> &'a [u8] {
        if self.left() == 0 {
            self.take(field, 1);
        }
        self.oem_z(field)
    }

    /// OEM text in a field of `length` bytes, ended by the first NUL or the field's end. Gives the text.
    pub(super) fn oem_fixed(&mut self, field: &'static str, length: usize) -> &'a [u8] {
        let bytes = self.take(field, length).unwrap_or_default();
        let (text, tail) =
            bytes.split_at_checked(memchr::memchr(0, bytes).unwrap_or(bytes.len())).unwrap_or_default();
        self.set_oem(text);
        if tail.iter().any(|&byte| byte != 0) {
            self.mean(Some("old memory behind the NUL"));
        }
        text
    }

    fn set_oem(&mut self, text: &[u8]) {
        let page = self.page;
        self.set_value(|| Value::Text(text::safe(&page.decode(text))));
    }

    /// A NetBIOS name in its second-level encoding, without label pointers.
    pub(super) fn name(&mut self, field: &'static str) {
        self.added = false;
        let rest = self.peek();
        match read::finish(name::scoped_name(field, rest), rest, Layer::NetbiosName) {
            Ok((behind, name)) => {
                self.take(field, rest.len().saturating_sub(behind.len()));
                let shown = self.shown_name(&name);
                self.set_value(|| Value::Shown(shown));
                self.mean(name.name.suffix().meaning());
            }
            Err(error) => {
                // As far as the name is sound.
                self.take(field, error.offset);
                if self.last().is_some_and(|node| node.error.is_none()) {
                    // The codec has stopped before, and says nothing of this name.
                    self.mean(Some(error.kind.to_string()));
                }
                self.added = false;
                self.stop();
            }
        }
    }

    /// The bytes of the layer at hand, up to the end of what may be read.
    fn layer_bytes(&self) -> &'a [u8] {
        self.bytes.get(self.scope.start..self.end).unwrap_or_default()
    }

    /// A NetBIOS name of the name service, in full or as a label pointer.
    pub(super) fn name_in_packet(&mut self, field: &'static str) {
        self.added = false;
        let at = self.offset();
        match ScopedName::decode_in_packet(self.layer_bytes(), at, field) {
            Ok((name, behind)) => {
                let is_pointer = self.peek().first().is_some_and(|&first| first >= 0xc0);
                self.take(field, behind.saturating_sub(at));
                let shown = self.shown_name(&name);
                self.set_value(|| Value::Shown(shown));
                let pointer = is_pointer.then_some("a pointer to an earlier name");
                self.mean(pointer.or_else(|| name.name.suffix().meaning()));
            }
            Err(error) => {
                // As far as the name is sound.
                self.take(field, error.offset.saturating_sub(at));
                if self.last().is_some_and(|node| node.error.is_none()) {
                    self.mean(Some(error.kind.to_string()));
                }
                self.added = false;
                self.stop();
            }
        }
    }

    /// The 16 bytes of a NetBIOS name, as they are.
    pub(super) fn raw_name(&mut self, field: &'static str) {
        if let Some(bytes) = self.fixed(field) {
            let name = NetbiosName::from_bytes(bytes);
            let shown = self.shown_name(&name.into());
            self.set_value(|| Value::Shown(shown));
            self.mean(name.suffix().meaning());
        }
    }

    fn shown_name(&self, name: &ScopedName<'_>) -> String {
        let base = text::safe(&self.page.decode(name.name.base()));
        let suffix = name.name.suffix().0;
        if name.scope.is_none() {
            format!("{base}<{suffix:02x}>")
        } else {
            format!("{base}<{suffix:02x}>.{}", name.scope)
        }
    }

    /// A string of an SMB message: OEM text, or UTF-16LE on an even offset from the layer's first byte, with a
    /// `padding` where one is needed.
    pub(super) fn string(&mut self, field: &'static str, unicode: bool) {
        if unicode && self.left() > 0 && !self.offset().is_multiple_of(2) {
            self.bytes("padding", 1);
        }
        self.string_unaligned(field, unicode);
    }

    /// The same where it stands, with its NUL or up to the end; nothing where no bytes are left.
    pub(super) fn string_unaligned(&mut self, field: &'static str, unicode: bool) {
        if !unicode {
            self.oem_z(field);
            return;
        }
        self.utf16(field, false);
    }

    /// A string that has a NUL, aligned as [`Self::string`]; gives its text.
    pub(super) fn string_to_nul(&mut self, field: &'static str, unicode: bool) -> String {
        if unicode {
            if self.left() > 0 && !self.offset().is_multiple_of(2) {
                self.bytes("padding", 1);
            }
            self.utf16(field, true)
        } else {
            let page = self.page;
            page.decode(self.oem_z(field))
        }
    }

    /// UTF-16LE up to its zero, or to the end; an odd byte at the end is left.
    fn utf16(&mut self, field: &'static str, whole: bool) -> String {
        self.added = false;
        let rest = self.peek();
        if rest.is_empty() && !whole {
            return String::new();
        }
        let (units, _) = rest.as_chunks::<2>();
        let end = units.iter().position(|unit| *unit == [0, 0]);
        let length = end.map_or(units.len() * 2, |end| (end + 1) * 2);
        let taken = self.take(field, length).unwrap_or_default();
        let units = taken.as_chunks::<2>().0.iter().take(end.unwrap_or(usize::MAX));
        let text: String = char::decode_utf16(units.map(|unit| u16::from_le_bytes(*unit)))
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        self.set_value(|| Value::Text(text::safe(&text)));
        if end.is_none() {
            self.mean(Some("no NUL"));
        }
        text
    }

    // ── what they mean ──

    /// What the field that the last verb added means; a part's field is the one it belongs to.
    pub(super) fn mean(&mut self, meaning: Option<impl AsRef<str>>) {
        if let Some(meaning) = meaning
            && let Some(node) = self.last()
        {
            node.meaning = Some(text::safe(meaning.as_ref()));
        }
    }

    /// A part of the last field: these of its bytes.
    pub(super) fn part(
        &mut self,
        field: &'static str,
        bytes: Range<usize>,
        shown: String,
        meaning: Option<&str>,
    ) {
        if self.count >= MAX_NODES {
            return;
        }
        if let Some(node) = self.last() {
            let whole = node.span.clone();
            let place = |offset: usize| whole.start.saturating_add(offset).min(whole.end);
            let span = place(bytes.start)..place(bytes.end).max(place(bytes.start));
            let mut part = Node::new(Kind::Part, field, span, Value::Shown(text::safe(&shown)));
            part.meaning = meaning.map(text::safe);
            node.children.push(part);
            self.count = self.count.saturating_add(1);
        }
    }

    /// The flags that are set in the last field, whose value is `value`; `names` says their masks, and what no
    /// mask has is `unknown`.
    pub(super) fn flags(&mut self, value: u64, names: impl IntoIterator<Item = (&'static str, u64)>) {
        let mut unknown = value;
        for (name, mask) in names {
            if mask != 0 && value & mask == mask {
                self.part(name, 0..usize::MAX, format!("0x{mask:x}"), None);
                unknown &= !mask;
            }
        }
        if unknown != 0 {
            self.part("unknown", 0..usize::MAX, format!("0x{unknown:x}"), None);
        }
    }

    /// [`Self::flags`] of a bitflags type.
    pub(super) fn flags_of<T: bitflags::Flags<Bits: Into<u64>>>(&mut self, value: &T) {
        let known = T::FLAGS.iter().filter(|flag| flag.is_named());
        self.flags(value.bits().into(), known.map(|flag| (flag.name(), flag.value().bits().into())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::error::DecodeErrorKind;

    fn read(bytes: &[u8], body: impl FnOnce(&mut Fields<'_>)) -> Tree<'_> {
        Fields::read(bytes, CodePage::default(), body)
    }

    fn spans(tree: &Tree<'_>) -> Vec<(&'static str, Range<usize>)> {
        tree.walk().map(|(_, node)| (node.field, node.span.clone())).collect()
    }

    #[test]
    fn what_jumps_cover_is_not_left_over() {
        let tree = read(b"....\x03abXcd", |f| {
            f.bytes("magic", 4);
            f.layer(
                Layer::Rap,
                |_| None,
                |f| {
                    let offset = f.u8("offset");
                    f.jump("text", offset.into(), |f| _ = f.bytes("letter", 1));
                    f.jump("outside", 100, |f| _ = f.bytes("letter", 1));
                    f.bytes("a", 1);
                },
            );
        });
        let layer = [("rap", 4..10), ("offset", 4..5), ("text", 7..8), ("letter", 7..8), ("a", 5..6)];
        let trailing = [("trailing", 6..7), ("trailing", 8..10)];
        let expected: Vec<_> = [("magic", 0..4)].into_iter().chain(layer).chain(trailing).collect();
        assert_eq!(spans(&tree), expected);
    }

    #[test]
    fn an_error_in_no_field_stops_the_layer_where_it_is() {
        let error = DecodeError::new(Layer::Rap, "heap", 2, DecodeErrorKind::Unterminated);
        let tree = read(b"abcdef", |f| {
            f.layer(
                Layer::Rap,
                |_| Some(error),
                |f| {
                    f.bytes("a", 2);
                    f.bytes("b", 2);
                    f.bytes("c", 1);
                },
            );
        });
        let expected = [("rap", 0..6), ("a", 0..2), ("b", 2..4), ("heap", 2..2), ("unread", 4..6)];
        assert_eq!(spans(&tree), expected);
        assert_eq!(tree.errors().collect::<Vec<_>>(), [error]);
    }

    #[test]
    fn layers_in_layers_end() {
        fn nest(f: &mut Fields<'_>) {
            f.layer(Layer::Smb, |_| None, nest);
        }
        let tree = read(b"abcd", nest);
        assert_eq!(tree.walk().count(), MAX_DEPTH + 1);
        assert_eq!(tree.walk().last().map(|(_, node)| node.field), Some("unread"));
    }

    #[test]
    fn a_loop_that_reads_nothing_ends() {
        let tree = read(b"abcd", |f| {
            while f.more() {
                f.bytes("nothing", 0);
            }
        });
        assert_eq!(tree.nodes().len(), MAX_NODES + 1);
        let last = tree.nodes().last().map(|node| (node.field, node.span.clone()));
        assert_eq!(last, Some(("limit", 0..4)));
    }
}
