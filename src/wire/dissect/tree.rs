//! The tree and its nodes.

use core::fmt;
use core::ops::Range;

use crate::wire::error::{DecodeError, Layer};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// All of a layer.
    Layer(Layer),
    /// Fields that belong together.
    Group,
    /// Fields that stand elsewhere: an offset leads there. The only nodes out of the frame's order.
    Jump,
    /// Bytes with one meaning. In a sound frame, the fields cover every byte once.
    Field,
    /// A flag, or some of the bits or bytes of the field above it.
    Part,
}

impl Kind {
    /// The word used as the JSON key `kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Layer(_) => "layer",
            Self::Group => "group",
            Self::Jump => "jump",
            Self::Field => "field",
            Self::Part => "part",
        }
    }
}

/// A node's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Value {
    /// None but the bytes, or what the children say.
    #[default]
    None,
    /// A number.
    Number(u64),
    /// Text from the wire, printable.
    Text(String),
    /// A value in its own notation: `0x11`, `10.0.0.5`, `NAME<1d>`.
    Shown(String),
}

/// The value as text, without quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) | Self::Shown(text) => f.write_str(text),
        }
    }
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// What the node is.
    pub kind: Kind,
    /// The field's name in its specification, in snake_case; a flag's in its own spelling; a layer's name.
    pub field: &'static str,
    /// Where its bytes stand, counted as the errors are: from the first byte of the frame.
    pub span: Range<usize>,
    /// The value.
    pub value: Value,
    /// What the value means, in words.
    pub meaning: Option<String>,
    /// The damage at this node, as the layer's codec says it.
    pub error: Option<DecodeError>,
    /// What stands within.
    pub children: Vec<Self>,
}

impl Node {
    pub(super) const fn new(kind: Kind, field: &'static str, span: Range<usize>, value: Value) -> Self {
        Self { kind, field, span, value, meaning: None, error: None, children: Vec::new() }
    }

    fn shift(&mut self, base: usize) {
        let Range { start, end } = self.span;
        self.span = start.saturating_add(base)..end.saturating_add(base);
        self.error = self.error.map(|error| error.at(base));
        self.children.iter_mut().for_each(|child| child.shift(base));
    }
}

/// The fields of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree<'a> {
    bytes: &'a [u8],
    /// Offset of the first byte.
    base: usize,
    nodes: Vec<Node>,
}

impl<'a> Tree<'a> {
    pub(super) const fn new(bytes: &'a [u8], nodes: Vec<Node>) -> Self {
        Self { bytes, base: 0, nodes }
    }

    /// The same tree seen from a unit in which these bytes begin at `base`.
    #[must_use]
    pub fn at(mut self, base: usize) -> Self {
        self.base = self.base.saturating_add(base);
        self.nodes.iter_mut().for_each(|node| node.shift(base));
        self
    }

    /// The bytes that were dissected.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The outermost nodes; mostly one, the layer.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All nodes with their depth, each before its children.
    pub fn walk(&self) -> impl Iterator<Item = (usize, &Node)> {
        let mut waiting: Vec<_> = self.nodes.iter().rev().map(|node| (0_usize, node)).collect();
        core::iter::from_fn(move || {
            let (depth, node) = waiting.pop()?;
            waiting.extend(node.children.iter().rev().map(|child| (depth.saturating_add(1), child)));
            Some((depth, node))
        })
    }

    /// The damage, outermost layer first; none in a sound frame.
    pub fn errors(&self) -> impl Iterator<Item = DecodeError> {
        self.walk().filter_map(|(_, node)| node.error)
    }

    /// The bytes of a node of this tree.
    pub fn bytes_of(&self, node: &Node) -> &'a [u8] {
        let Range { start, end } = node.span;
        self.bytes.get(start.saturating_sub(self.base)..end.saturating_sub(self.base)).unwrap_or_default()
    }
}

/// A list of nodes: `{"kind", "field", "offset", "length", "bytes", "value", "meaning", "error", "children"}`;
/// only fields have `bytes` (in hex), and what there is none of is left out.
#[cfg(feature = "serde")]
impl serde::Serialize for Tree<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.nodes.iter().map(|node| json::InTree { tree: self, node }))
    }
}

#[cfg(feature = "serde")]
mod json {
    use serde::ser::{Serialize, SerializeMap, Serializer};

    use super::{DecodeError, Kind, Node, Tree, Value};
    use crate::wire::dissect::text;

    /// A node with the tree that has its bytes.
    pub(super) struct InTree<'t> {
        pub(super) tree: &'t Tree<'t>,
        pub(super) node: &'t Node,
    }

    impl Serialize for InTree<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Self { tree, node } = *self;
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("kind", node.kind.name())?;
            map.serialize_entry("field", node.field)?;
            map.serialize_entry("offset", &node.span.start)?;
            map.serialize_entry("length", &node.span.len())?;
            if node.kind == Kind::Field {
                map.serialize_entry("bytes", &text::hex(tree.bytes_of(node), ""))?;
            }
            match &node.value {
                Value::None => {}
                Value::Number(number) => map.serialize_entry("value", number)?,
                Value::Text(text) | Value::Shown(text) => map.serialize_entry("value", text)?,
            }
            if let Some(meaning) = &node.meaning {
                map.serialize_entry("meaning", meaning)?;
            }
            if let Some(error) = &node.error {
                map.serialize_entry("error", &Damage(error))?;
            }
            if !node.children.is_empty() {
                let children: Vec<_> = node.children.iter().map(|node| InTree { tree, node }).collect();
                map.serialize_entry("children", &children)?;
            }
            map.end()
        }
    }

    struct Damage<'t>(&'t DecodeError);

    impl Serialize for Damage<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Self(error) = self;
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("layer", error.layer.name())?;
            map.serialize_entry("field", error.field)?;
            map.serialize_entry("offset", &error.offset)?;
            map.serialize_entry("kind", error.kind.name())?;
            map.serialize_entry("message", &error.to_string())?;
            map.end()
        }
    }
}
