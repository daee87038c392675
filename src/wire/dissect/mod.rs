//! The tree of a frame's fields, for people: where each stands, its bytes, its value and what that means.
//!
//! Dissecting never fails. A damaged frame is shown as far as it is sound, and the node at the damage carries the
//! very [`DecodeError`](super::DecodeError) of the layer's codec, which is asked first; tree and codec cannot
//! disagree. What is known behind the damage is shown too (a datagram whose length is wrong still has names); the
//! rest is a field `unread`. Where a frame is sound, its [`Kind::Field`]s cover every byte once: paddings are
//! fields, and so are bytes behind the end (`trailing`).
//!
//! A tree is bounded ([`MAX_NODES`], [`MAX_DEPTH`]); one that reaches the bound ends in a field `limit`. Its texts
//! hold printable characters only, whatever the network sent.
//!
//! ```
//! use mailslot::wire::{dissect, oem::CodePage};
//!
//! let tree = dissect::browser(b"\x0bPC7\0", CodePage::default());
//! assert_eq!(
//!     tree.to_string(),
//!     "0000                           browser                      BecomeBackup\n\
//!      0000  0b                         opcode                     0x0b BecomeBackup\n\
//!      0001  50 43 37 00                name                       \"PC7\"\n"
//! );
//! assert!(tree.errors().next().is_none());
//! ```
//!
//! # Adding a layer
//!
//! One file per layer, with one function that says its fields in the order of the wire, in verbs of `Fields`:
//!
//! ```text
//! pub(super) fn fields(f: &mut Fields<'_>) {
//!     f.layer(Layer::Browser, |bytes| BrowserFrame::decode(bytes).err(), |f| {
//!         let opcode = Opcode(f.hex_u8("opcode"));
//!         f.mean(opcode.name());
//!         match opcode { … }
//!     });
//! }
//! ```
//!
//! * `layer` takes all bytes that are left; `within(length, …)` bounds them first.
//! * A verb that meets the damage shows what is there and stops the layer: all verbs after it do nothing and give
//!   0. No `if` is needed for truncated bytes. Where a value decides the layout and has no known one, `stop`.
//! * A field is called what the codec calls it in its errors, or the error gets a node of its own in front of the
//!   next field. Errors that leave the layout behind them known are named with `reads_past`.
//! * Behind such an error the codec says no more, and fields may end early; `is_damaged` tells. What cannot
//!   be placed then is left out with `stop`.
//! * What the codec says of a part alone (an entry of a list) is set with `mark`.
//! * A value stands in its own notation, and `mean` says it in words, with the tables of the codec.
//! * Bytes that nothing was said of become `trailing`, or `unread` behind damage.
//! * Then call it where it is carried (`smb::message` for slots), give it an entry point here, and its goldens to
//!   the laws in `tests/wire/dissect.rs`.

mod browser;
mod command;
mod fields;
mod lanman;
mod messenger;
mod nbdgm;
mod nbns;
mod nbss;
mod netlogon;
mod rap;
mod render;
mod smb;
mod text;
mod transaction;
mod tree;

use fields::Fields;
pub use fields::{MAX_DEPTH, MAX_NODES};
pub use render::RenderOptions;
pub use tree::{Kind, Node, Tree, Value};

use super::oem::CodePage;
use super::smb::rap::{Function, ResponseParameters};

/// A UDP payload on port 137.
pub fn name_service(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, nbns::fields)
}

/// A packet of a session on port 139 or 445 with its header of four bytes, and what it carries. An answer to a remote
/// administration call does not say what it answers: `answers` tells the call's function and level.
pub fn session(bytes: &[u8], answers: Option<(Function, u16)>, page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, |f| nbss::fields(answers, f))
}

/// A session's message from the SMB signature on, and what it carries; as [`session`].
pub fn session_message(bytes: &[u8], answers: Option<(Function, u16)>, page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, |f| command::fields(answers, f))
}

/// A remote administration request: a transaction's parameters.
pub fn rap_request(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, rap::request)
}

/// The parameters of an answer to a remote administration request.
pub fn rap_response_parameters(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, |f| rap::parameters(None, f))
}

/// The data of an answer to a remote administration request for `function` at `level`, which came with `parameters`.
pub fn rap_data<'a>(
    function: Function,
    level: u16,
    parameters: &ResponseParameters<'_>,
    bytes: &'a [u8],
    page: CodePage,
) -> Tree<'a> {
    Fields::read(bytes, page, |f| rap::data(function, level, parameters, f))
}

/// A UDP payload on port 138, and what it carries; OEM text is read in the code page `page`.
pub fn datagram(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, nbdgm::fields)
}

/// The user data of a datagram, put together from its fragments or not, and what they carry.
pub fn user_data(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, nbdgm::user_data)
}

/// A mailslot write from the SMB signature on, and what it carries: the user data of a datagram.
pub fn smb(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, smb::fields)
}

/// A message to the slot `slot` (without `\MAILSLOT\`, in any case).
pub fn message<'a>(slot: &[u8], bytes: &'a [u8], page: CodePage) -> Tree<'a> {
    Fields::read(bytes, page, |f| smb::message(slot, f))
}

/// A browser frame: a message to `\MAILSLOT\BROWSE`.
pub fn browser(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, browser::fields)
}

/// A domain controller locator message: a message to `\MAILSLOT\NET\NETLOGON` or an answer to one.
pub fn netlogon(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, netlogon::fields)
}

/// A messenger text: a message to `\MAILSLOT\MESSNGR`.
pub fn messenger(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, messenger::fields)
}

/// A message to `\MAILSLOT\LANMAN`.
pub fn lanman(bytes: &[u8], page: CodePage) -> Tree<'_> {
    Fields::read(bytes, page, lanman::fields)
}
