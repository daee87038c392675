//! Decoding allocates nothing: payloads are borrowed, and no length from the wire reserves memory. And what the browser
//! service holds stays small, whoever announces what.
//!
//! A binary of its own, because counting needs an allocator of its own.

mod browser;

#[path = "../support/frames.rs"]
mod frames;

use std::hint::black_box;

use allocation_counter::measure;
use mailslot::wire::browser::{BrowserFrame, LanmanFrame};
use mailslot::wire::messenger::MessengerMessage;
use mailslot::wire::name::ScopedName;
use mailslot::wire::nbdgm::{Datagram, Salvage};
use mailslot::wire::netlogon::NetlogonMessage;
use mailslot::wire::smb::rap::{Request, ResponseParameters};
use mailslot::wire::smb::{MailslotWrite, SmbMessage};
use mailslot::wire::{Decode, Encode, nbns, nbss};

use crate::frames::cases;

/// For each `folder: Type`: decoding the folder's frames, whole and cut, allocates nothing.
macro_rules! no_allocation {
    ($($folder:ident: $type:ty;)*) => {$(
        #[test]
        fn $folder() {
            for case in cases(stringify!($folder)) {
                let counted = measure(|| {
                    assert!(black_box(<$type>::decode(black_box(&case.bytes))).is_ok());
                    for length in 0..case.bytes.len() {
                        let _ = black_box(<$type>::decode(black_box(&case.bytes[..length])));
                    }
                });
                assert_eq!(counted.count_total, 0, "{}/{}", stringify!($folder), case.name);
            }
        }
    )*};
}

no_allocation! {
    name: ScopedName<'_>;
    nbdgm: Datagram<'_>;
    nbns: nbns::Packet<'_>;
    smb: MailslotWrite<'_>;
    browser: BrowserFrame<'_>;
    lanman: LanmanFrame<'_>;
    netlogon: NetlogonMessage<'_>;
    messenger: MessengerMessage<'_>;
    nbss: nbss::Packet<'_>;
    smb_session: SmbMessage<'_>;
    rap: Request<'_>;
    rap_parameters: ResponseParameters<'_>;
}

/// The whole way of a datagram, as a receiver goes it.
#[test]
fn from_the_datagram_to_the_browser_frame() {
    let mut frames = 0;
    for case in cases("nbdgm") {
        let counted = measure(|| {
            let datagram = Datagram::decode(&case.bytes).expect("a golden frame");
            let Some(content) = datagram.content() else { return };
            let Ok(write) = MailslotWrite::decode(content.user_data) else { return };
            if write.is_slot(b"BROWSE") && BrowserFrame::decode(write.data()).is_ok() {
                frames += 1;
            }
            black_box(write.layout());
            black_box(Salvage::read(&case.bytes));
        });
        assert_eq!(counted.count_total, 0, "{}", case.name);
    }
    assert!(frames > 20, "{frames}");
}

/// Counts and lengths of 65,535 and 255, with hardly any bytes behind them.
#[test]
fn lengths_reserve_nothing() {
    let mut datagram = frames::case("nbdgm", "app-unique").bytes;
    datagram[10..12].copy_from_slice(&[0xff; 2]);
    let mut write = frames::case("smb", "app-unique").bytes;
    for at in [33, 35, 37, 39, 51, 55, 67] {
        write[at..at + 2].copy_from_slice(&[0xff; 2]);
    }
    let counted = measure(|| {
        assert!(black_box(Datagram::decode(&datagram)).is_err());
        assert!(black_box(MailslotWrite::decode(&write)).is_err());
        let list = black_box(BrowserFrame::decode(b"\x0a\xff\0\0\0\0A\0"));
        let Ok(BrowserFrame::GetBackupListResponse(list)) = list else { panic!("{list:?}") };
        assert_eq!(list.backup_servers.iter().count(), 1);
    });
    assert_eq!(counted.count_total, 0);
}

/// Encoding into a buffer with room allocates nothing, into a new one exactly once.
#[test]
fn encoding_allocates_once() {
    for case in cases("nbdgm") {
        let datagram = Datagram::decode(&case.bytes).expect("a golden frame");
        let mut room = Vec::with_capacity(case.bytes.len());
        assert_eq!(measure(|| datagram.encode(&mut room)).count_total, 0, "{}", case.name);
        let counted = measure(|| assert_eq!(black_box(datagram.to_bytes()).len(), case.bytes.len()));
        assert_eq!(counted.count_total, 1, "{}", case.name);
    }
}

/// The counter counts.
#[test]
fn the_counter_sees_an_allocation() {
    let counted = measure(|| drop(black_box(Vec::<u8>::with_capacity(black_box(100)))));
    assert_eq!((counted.count_total, counted.bytes_total), (1, 100));
}
