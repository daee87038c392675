//! One datagram of the datagram service, as deep as its bytes are sound.

use std::borrow::Cow;

use mailslot::service::datagram::Reassembled;
use mailslot::wire::browser::{BROWSE, BrowserFrame, LANMAN, LanmanFrame, SIGNATURE};
use mailslot::wire::messenger::{MESSNGR, MessengerMessage};
use mailslot::wire::name::ScopedName;
use mailslot::wire::nbdgm::{Body, Content, Datagram, LengthForm, MAX_USER_DATA, Salvage};
use mailslot::wire::netlogon::{NetlogonMessage, is_netlogon_slot};
use mailslot::wire::smb::{Class, MailslotWrite};
use mailslot::wire::{Decode, DecodeError};

/// A datagram's layers.
#[derive(Default)]
pub(crate) struct Decoded<'a> {
    pub(crate) datagram: Option<Datagram<'a>>,
    /// What could be read of a datagram that is damaged.
    pub(crate) salvage: Option<Salvage<'a>>,
    /// Names and user data, also those of a datagram put together.
    pub(crate) content: Option<Content<'a>>,
    pub(crate) mailslot: Option<MailslotWrite<'a>>,
    pub(crate) message: Message<'a>,
    pub(crate) error: Option<DecodeError>,
    /// Fragments the datagram was put together from; 0 where it came whole.
    pub(crate) fragments: usize,
    /// Bytes that the capture does not have.
    missing: usize,
}

/// What a message says.
#[derive(Default)]
pub(crate) enum Message<'a> {
    #[default]
    Raw,
    Browser(BrowserFrame<'a>),
    Lanman(LanmanFrame<'a>),
    Netlogon(NetlogonMessage<'a>),
    Messenger(MessengerMessage<'a>),
}

impl<'a> Message<'a> {
    /// Reads a message to `slot` (without `\MAILSLOT\`); one to a slot of which nothing is known is raw.
    #[inline]
    pub(crate) fn read(slot: &[u8], data: &'a [u8]) -> Result<Self, DecodeError> {
        let is = |known: &[u8]| slot == known || slot.eq_ignore_ascii_case(known);
        if is(BROWSE) {
            BrowserFrame::decode(data).map(Self::Browser)
        } else if is(LANMAN) {
            LanmanFrame::decode(data).map(Self::Lanman)
        } else if is_netlogon_slot(slot) {
            NetlogonMessage::decode(data).map(Self::Netlogon)
        } else if is(MESSNGR) {
            MessengerMessage::decode(data).map(Self::Messenger)
        } else {
            Ok(Self::Raw)
        }
    }

    /// The frame's name in MS-BRWS, the message's in MS-ADTS, or the number of one that has none.
    pub(crate) fn command(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Raw => None,
            Self::Browser(frame) => Some(match frame.opcode().name() {
                Some(name) => name.into(),
                None => frame.opcode().to_string().into(),
            }),
            Self::Lanman(frame) => Some(match frame.name() {
                Some(name) => name.into(),
                None => format!("0x{:04x}", frame.frame_type()).into(),
            }),
            Self::Netlogon(message) => Some(match message.opcode().name() {
                Some(name) => name.into(),
                None => message.opcode().to_string().into(),
            }),
            Self::Messenger(_) => Some("Messenger".into()),
        }
    }
}

impl<'a> Decoded<'a> {
    /// Reads a UDP payload that begins at `base` of its frame.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8], base: usize, missing: usize) -> Self {
        let mut decoded = Self { missing, ..Self::default() };
        match Datagram::decode(bytes) {
            Ok(datagram) => {
                decoded.datagram = Some(datagram);
                decoded.content = datagram.content().copied();
                if let Some(content) = datagram.content()
                    && !datagram.is_fragment()
                {
                    // Names and user data are the end of the payload, but for bytes that do not belong to it.
                    let behind = content.user_data.len() + datagram.trailing().len();
                    decoded.read_user_data(content.user_data, base + bytes.len() - behind);
                }
            }
            Err(error) => {
                decoded.salvage = Salvage::read(bytes);
                decoded.error = Some(error.at(base));
            }
        }
        decoded
    }

    /// The datagram's last fragment is here.
    pub(crate) fn complete(&mut self, whole: &'a Reassembled) {
        self.fragments = whole.fragments();
        self.content = whole.content();
        self.read_user_data(whole.user_data(), 0);
    }

    #[inline]
    fn read_user_data(&mut self, user_data: &'a [u8], base: usize) {
        if !is_smb(user_data) {
            return;
        }
        let write = match MailslotWrite::decode(user_data) {
            Ok(write) => write,
            Err(error) => {
                self.error = Some(error.at(base));
                return;
            }
        };
        self.mailslot = Some(write);
        let message = Message::read(write.slot(), write.data());
        match message {
            Ok(message) => self.message = message,
            Err(error) => self.error = Some(error.at(base + usize::from(write.words().data_offset))),
        }
    }

    /// Whether this is a fragment of a datagram of which others are missing still.
    pub(crate) fn is_held(&self) -> bool {
        self.fragments == 0 && self.datagram.is_some_and(|datagram| datagram.is_fragment())
    }

    /// The user data of a whole datagram that is no SMB.
    pub(crate) fn other_user_data(&self) -> Option<&'a [u8]> {
        let content = self.content.filter(|_| !self.is_held())?;
        (!is_smb(content.user_data)).then_some(content.user_data)
    }

    /// The names it is from, to and about.
    pub(crate) fn names(&self) -> impl Iterator<Item = ScopedName<'a>> {
        let (content, salvage) = (self.content.as_ref(), self.salvage.as_ref());
        let queried = self.datagram.and_then(|datagram| match datagram.body() {
            Body::Query(name) => Some(*name),
            _ => None,
        });
        [
            content.map(|content| content.source_name),
            content.map(|content| content.destination_name),
            salvage.and_then(|salvage| salvage.source_name),
            salvage.and_then(|salvage| salvage.destination_name),
            queried,
        ]
        .into_iter()
        .flatten()
    }

    /// What is unusual, as words that stay the same from version to version.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &'static str> {
        let write = self.mailslot.as_ref();
        let size = write.map(|write| write.data().len());
        let announcement = match &self.message {
            Message::Browser(
                BrowserFrame::HostAnnouncement(frame) | BrowserFrame::LocalMasterAnnouncement(frame),
            ) => Some(frame),
            _ => None,
        };
        let counts_header = self.datagram.is_some_and(|datagram| {
            matches!(
                datagram.body(),
                Body::Direct { length_form: LengthForm::CountsHeader, .. }
                    | Body::Fragment { length_form: LengthForm::CountsHeader, .. }
            )
        });
        [
            (self.is_held(), "fragment"),
            (self.fragments > 0, "reassembled"),
            (self.missing > 0, "cut_by_capture"),
            (counts_header, "dgm_length_counts_header"),
            (
                self.content.is_some_and(|content| content.user_data.len() > MAX_USER_DATA),
                "user_data_over_512",
            ),
            (write.is_some_and(|write| write.class() == Class::RELIABLE), "class_1_by_datagram"),
            (matches!(size, Some(425 | 426)), "nt_cannot_carry_425_or_426_bytes"),
            (announcement.is_some_and(|frame| frame.signature != SIGNATURE), "wrong_signature"),
        ]
        .into_iter()
        .filter_map(|(holds, note)| holds.then_some(note))
    }

    /// Whether there are notes.
    pub(crate) fn has_notes(&self) -> bool {
        self.notes().next().is_some()
    }
}

/// User data that is an SMB, or the beginning of one.
#[inline]
fn is_smb(user_data: &[u8]) -> bool {
    const SIGNATURE: &[u8] = b"\xffSMB";
    let start = user_data.get(..SIGNATURE.len()).unwrap_or(user_data);
    !start.is_empty() && SIGNATURE.starts_with(start)
}
