//! The cursor that builds a tree.

use core::mem;
use core::net::Ipv4Addr;
use core::ops::Range;

use super::text;
use super::tree::{Kind, Node, Tree, Value};
use crate::wire::error::{DecodeError, DecodeErrorKind, Layer};
use crate::wire::name::{self, NameForm, NetbiosName, PacketName, ScopedName};
use crate::wire::netlogon::compressed_name_at;
use crate::wire::oem::CodePage;
use crate::wire::read;
use crate::wire::smb::SmbStr;

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
    /// It was met.
    damaged: bool,
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

    /// Whether the layer's damage was met: what stands behind it may not be what the fields say.
    pub(super) const fn is_damaged(&self) -> bool {
        self.scope.damaged
    }

    /// `length` bytes at `offset` from the layer's first byte.
    pub(super) fn slice(&self, offset: usize, length: usize) -> Option<&'a [u8]> {
        let layer = self.bytes.get(self.scope.start..self.end)?;
        layer.get(offset..offset.checked_add(length)?)
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
            self.scope.damaged = true;
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
            self.scope.damaged = true;
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
            // Behind damage the codec says nothing of it.
            let known = !self.scope.damaged || self.last().is_some_and(|node| node.error.is_some());
            self.mean(Some(if known { "cut" } else { "ends here" }));
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

    /// A number with a sign, shown in decimal.
    pub(super) fn i16_le(&mut self, field: &'static str) -> i16 {
        let number = self.fixed(field).map_or(0, i16::from_le_bytes);
        self.show(|| number.to_string());
        number
    }

    /// Shows the last field's value in its own notation.
    pub(super) fn show(&mut self, shown: impl FnOnce() -> String) {
        self.set_value(|| Value::Shown(text::safe(&shown())));
    }

    /// An IPv4 address, in network order.
    pub(super) fn ipv4(&mut self, field: &'static str) -> Ipv4Addr {
        let address = self.fixed::<4>(field).map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from);
        self.show(|| address.to_string());
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

    /// As [`Self::bytes`], but as many as there are; nothing where there are none.
    pub(super) fn up_to(&mut self, field: &'static str, length: usize) -> &'a [u8] {
        self.added = false;
        match length.min(self.left()) {
            0 => &[],
            length => self.bytes(field, length),
        }
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

    /// `padding` up to a multiple of 2 from the layer's first byte, where there is more.
    pub(super) fn align(&mut self) {
        if !self.offset().is_multiple_of(2) {
            self.up_to("padding", 1);
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

    /// OEM text whose codec asks for the NUL.
    pub(super) fn oem_nul(&mut self, field: &'static str) -> &'a [u8] {
        if memchr::memchr(0, self.peek()).is_some() {
            return self.oem_z(field);
        }
        self.take(field, self.left());
        self.stop();
        &[]
    }

    /// OEM or UTF-16LE text with its NUL, or without one up to the end; nothing where no bytes are left. Its codec
    /// aligns it or not: [`Self::align`].
    pub(super) fn smb_text(&mut self, field: &'static str, unicode: bool) {
        if !unicode {
            self.oem_z(field);
            return;
        }
        self.added = false;
        let rest = self.peek();
        if rest.is_empty() {
            return;
        }
        let end = text::utf16_nul(rest);
        let taken = self.take(field, end.map_or(rest.len(), |end| end.saturating_add(2))).unwrap_or_default();
        let length = end.unwrap_or(taken.len() & !1);
        // Before the NUL there is none.
        if let Some(text) = taken.get(..length).and_then(|text| SmbStr::utf16(text).ok()) {
            let page = self.page;
            self.set_value(|| Value::Text(text::safe(&text.decode(page))));
        }
        if end.is_none() {
            self.mean(Some("no NUL"));
        }
    }

    /// UTF-16LE text whose codec asks for the NUL.
    pub(super) fn utf16_nul(&mut self, field: &'static str) {
        if text::utf16_nul(self.peek()).is_some() {
            return self.smb_text(field, true);
        }
        self.take(field, self.left());
        self.stop();
    }

    /// The zero in front of UTF-16LE text that would begin on an odd offset, if the sender wrote one.
    pub(super) fn even_padding(&mut self) {
        if !self.offset().is_multiple_of(2) && self.peek().first() == Some(&0) {
            self.bytes("padding", 1);
        }
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

    /// OEM text as it is shown.
    pub(super) fn oem_text(&self, text: &[u8]) -> String {
        text::safe(&self.page.decode(text))
    }

    fn set_oem(&mut self, text: &[u8]) {
        let text = self.oem_text(text);
        self.set_value(|| Value::Text(text));
    }

    /// A NetBIOS name in its second-level encoding, without label pointers.
    pub(super) fn name(&mut self, field: &'static str) {
        self.added = false;
        let rest = self.peek();
        match read::finish(name::scoped_name(field, rest), rest, Layer::NetbiosName) {
            Ok((behind, name)) => {
                self.take(field, rest.len().saturating_sub(behind.len()));
                self.show_name(&name);
            }
            Err(error) => self.damaged_name(field, error.offset, &error),
        }
    }

    /// A NetBIOS name of the name service, with label pointers into the layer.
    pub(super) fn name_in_packet(&mut self, field: &'static str) {
        self.added = false;
        if !self.is_live() {
            return;
        }
        let start = self.offset();
        let packet = self.bytes.get(self.scope.start..self.end).unwrap_or_default();
        let mut behind = start;
        match PacketName::read(packet, &mut behind, field) {
            Ok(name) => {
                // An error within may be that of a later name that points here.
                let expected = self.scope.expected.take();
                self.take(field, behind.saturating_sub(start));
                self.scope.expected = expected;
                self.show_name(name.name());
                match name.form() {
                    NameForm::Full => {}
                    NameForm::Pointer(target) => {
                        self.part("pointer", 0..2, target.to_string(), Some("the name stands there"));
                    }
                    NameForm::ScopePointer(target) => {
                        self.part("pointer", 33..35, target.to_string(), Some("the scope stands there"));
                    }
                }
            }
            Err(error) => match error.offset.checked_sub(start) {
                Some(sound) => self.damaged_name(field, sound, &error),
                None => {
                    // The pointer is sound, but not what stands there.
                    let expected = self.scope.expected.take();
                    self.take(field, if self.peek().first() == Some(&0x20) { 35 } else { 2 });
                    self.scope.expected = expected;
                    self.mean(Some("a pointer to no name"));
                    self.added = false;
                    self.place_error();
                    self.stop();
                }
            },
        }
    }

    /// A name of the locator, compressed with pointers into the bytes from `base` of the layer on.
    pub(super) fn compressed_name(&mut self, field: &'static str, base: usize) {
        self.added = false;
        if !self.is_live() {
            return;
        }
        let start = self.offset();
        let layer = self.bytes.get(self.scope.start..self.end).unwrap_or_default();
        match compressed_name_at(layer, base, start) {
            Ok((name, behind)) => {
                // An error within may be that of a later name that points here.
                let expected = self.scope.expected.take();
                self.take(field, behind.saturating_sub(start));
                self.scope.expected = expected;
                self.set_value(|| Value::Text(text::safe(&name)));
            }
            Err(error) => {
                let sound = error.offset.checked_sub(start);
                let shown = match (sound, error.kind) {
                    (_, DecodeErrorKind::Truncated { .. }) => self.left(),
                    (Some(sound), _) => sound.saturating_add(1),
                    // Up to the pointer that leads there.
                    (None, _) => self.peek().iter().position(|&byte| byte >= 0xc0).map_or(1, |at| at + 2),
                };
                let elsewhere = sound.is_none().then(|| self.scope.expected.take()).flatten();
                self.take(field, shown.min(self.left()));
                if sound.is_none() {
                    self.scope.expected = elsewhere;
                    self.mean(Some("points at no name"));
                    self.place_error();
                } else if self.last().is_some_and(|node| node.error.is_none()) {
                    self.mean(Some(error.kind.to_string()));
                }
                self.added = false;
                self.stop();
            }
        }
    }

    /// The 16 bytes of a NetBIOS name, as a node status has them.
    pub(super) fn name_bytes(&mut self, field: &'static str) {
        if let Some(bytes) = self.fixed(field) {
            self.show_name(&NetbiosName::from_bytes(bytes).into());
        }
    }

    fn show_name(&mut self, name: &ScopedName<'_>) {
        let base = self.oem_text(name.name.base());
        let suffix = name.name.suffix();
        let scope = if name.scope.is_none() { String::new() } else { format!(".{}", name.scope) };
        self.set_value(|| Value::Shown(format!("{base}<{:02x}>{scope}", suffix.0)));
        self.mean(suffix.meaning());
    }

    /// The `sound` first bytes of a name; the layer stops.
    fn damaged_name(&mut self, field: &'static str, sound: usize, error: &DecodeError) {
        self.take(field, sound);
        if self.last().is_some_and(|node| node.error.is_none()) {
            // The codec has stopped before, and says nothing of this name.
            self.mean(Some(error.kind.to_string()));
        }
        self.added = false;
        self.stop();
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

    /// What the codec says of the last field alone; offsets count from the layer's first byte.
    pub(super) fn mark(&mut self, error: &DecodeError) {
        let error = error.at(self.scope.start);
        if let Some(node) = self.last() {
            node.error = Some(error);
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
