//! `--verify`: encodes what was decoded, from the innermost frame outwards, and compares.

use mailslot::wire::Encode;
use mailslot::wire::nbdgm::{Body, Content, Datagram};
use mailslot::wire::smb::HeaderLayout;

use super::datagram::{Decoded, Message};
use super::record::{Body as Unit, Record};

/// How the encoded bytes compare with those of the capture.
pub(super) enum Verdict {
    /// Byte for byte the same; the layout, if one gives this header.
    Same(Option<HeaderLayout>),
    /// Different; the bytes encoded.
    Differs(Vec<u8>),
    /// Not encoded, because there is no whole value.
    NotEncoded(String),
}

/// `None` if there is nothing to encode: what is said of a stream.
pub(super) fn verify(record: &Record<'_>, payload: &[u8]) -> Option<Verdict> {
    if let Some(error) = record.error() {
        return Some(Verdict::NotEncoded(error.to_string()));
    }
    Some(match &record.body {
        Unit::Datagram(decoded) => datagram(decoded, payload),
        Unit::NameService(decoded) => match decoded.packet() {
            Some(packet) => compare(packet.to_bytes(), payload, None),
            None => Verdict::NotEncoded("no packet".to_owned()),
        },
        Unit::Session(session) => match session.packet()?.encode() {
            Some(bytes) => compare(bytes, payload, None),
            None => Verdict::NotEncoded("longer than a packet can be".to_owned()),
        },
        Unit::Damaged(error) => Verdict::NotEncoded(error.to_string()),
    })
}

fn datagram(decoded: &Decoded<'_>, payload: &[u8]) -> Verdict {
    let not_encoded = |reason: String| Verdict::NotEncoded(reason);
    let Some(datagram) = &decoded.datagram else { return not_encoded("no datagram".to_owned()) };
    let layout = decoded.mailslot.as_ref().and_then(|write| write.layout());

    let message = match &decoded.message {
        Message::Raw => decoded.mailslot.as_ref().map(|write| write.data().to_vec()),
        Message::Browser(frame) => Some(frame.to_bytes()),
        Message::Lanman(frame) => Some(frame.to_bytes()),
        Message::Netlogon(message) => Some(message.to_bytes()),
        Message::Messenger(message) => Some(message.to_bytes()),
    };
    let user_data = match decoded.mailslot.as_ref().zip(message.as_ref()) {
        Some((write, message)) => match write.with_data(message) {
            Ok(write) => Some(write.to_bytes()),
            Err(error) => return not_encoded(error.to_string()),
        },
        None => None,
    };
    if decoded.fragments > 0 {
        // The fragment is compared as it is, the message with what was put together.
        let whole = decoded.content.map(|content| content.user_data);
        if let Some((user_data, whole)) = user_data.as_ref().zip(whole)
            && user_data != whole
        {
            return Verdict::Differs(user_data.clone());
        }
        return compare(datagram.to_bytes(), payload, layout);
    }
    let encoded = match (datagram.body(), &user_data) {
        (Body::Direct { length_form, content }, Some(user_data)) => {
            let content = Content { user_data, ..*content };
            let body = Body::Direct { length_form: *length_form, content };
            match Datagram::new(*datagram.header(), body) {
                Ok(rebuilt) => {
                    let mut bytes = rebuilt.to_bytes();
                    bytes.extend_from_slice(datagram.trailing());
                    bytes
                }
                Err(error) => return not_encoded(error.to_string()),
            }
        }
        _ => datagram.to_bytes(),
    };
    compare(encoded, payload, layout)
}

fn compare(encoded: Vec<u8>, payload: &[u8], layout: Option<HeaderLayout>) -> Verdict {
    if encoded == payload { Verdict::Same(layout) } else { Verdict::Differs(encoded) }
}
