//! Written captures, read again by the reader and by tshark.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use mailslot::capture::{CaptureError, Format, Frame, LinkType, Reader, Timestamp, Writer};
use proptest::prelude::*;

use crate::build::{Order, enhanced, frames, interface, pcap, read_all, section};

/// All frames of `file`, written in `format`.
fn rewrite(file: &[u8], format: Format) -> Result<Vec<u8>, CaptureError> {
    let mut reader = Reader::new(file).unwrap();
    let mut writer = Writer::new(Vec::new(), format);
    assert_eq!(writer.format(), format);
    while let Some(frame) = reader.next_frame().unwrap() {
        writer.write(&frame)?;
    }
    assert_eq!(writer.frames(), reader.records());
    writer.finish()
}

const FORMATS: [Format; 2] = [Format::Pcap, Format::PcapNg];

fn lab() -> Vec<u8> {
    include_bytes!("../../testdata/pcap/app-mailslots.pcap").to_vec()
}

#[test]
fn a_classic_file_comes_back_byte_for_byte() {
    let file = lab();
    let written = rewrite(&file, Format::Pcap).unwrap();
    // Beside the header, in which each program has its own snapshot length.
    assert_eq!(written[24..], file[24..]);
    assert_eq!((&written[..16], &written[20..24]), (&file[..16], &file[20..24]));
}

#[test]
fn frames_are_the_same_in_both_formats() {
    let file = lab();
    for format in FORMATS {
        let written = rewrite(&file, format).unwrap();
        assert_eq!(Reader::new(written.as_slice()).unwrap().format(), format);
        assert_eq!(frames(&written), frames(&file));
    }
}

#[test]
fn files_without_frames() {
    for format in FORMATS {
        let written = Writer::new(Vec::new(), format).finish().unwrap();
        assert_eq!(Reader::new(written.as_slice()).unwrap().format(), format);
        assert_eq!(frames(&written), []);
    }
}

#[test]
fn several_link_types_need_pcapng() {
    let order = Order::Little;
    let mut file = section(order);
    file.extend(interface(order, 1, 0, &[]));
    file.extend(interface(order, 101, 0, &[]));
    file.extend(enhanced(order, 1, 7, b"raw"));
    file.extend(enhanced(order, 0, 8, b"ethernet"));
    file.extend(enhanced(order, 1, 9, b"raw again"));
    let error = rewrite(&file, Format::Pcap).unwrap_err();
    assert!(error.is_recoverable());
    assert_eq!(error.to_string(), "record 2 is not written: it is ETHERNET, the file RAW; pcapng holds both");
    let seen = frames(&rewrite(&file, Format::PcapNg).unwrap());
    let expected = [
        (0, LinkType::RAW, 7000, &b"raw"[..]),
        (1, LinkType::ETHERNET, 8000, b"ethernet"),
        (0, LinkType::RAW, 9000, b"raw again"),
    ];
    assert_eq!(seen.len(), 3);
    for (seen, (interface, link, nanoseconds, bytes)) in seen.iter().zip(expected) {
        assert_eq!((seen.interface, seen.link), (interface, link));
        assert_eq!((seen.time, seen.bytes.as_slice()), (Timestamp::new(0, nanoseconds), bytes));
    }
    // A refused frame leaves no trace.
    let mut writer = Writer::new(Vec::new(), Format::Pcap);
    writer.write(&Frame::new(Timestamp::EPOCH, LinkType::RAW, b"one")).unwrap();
    writer.write(&Frame::new(Timestamp::EPOCH, LinkType::ETHERNET, b"two")).unwrap_err();
    writer.write(&Frame::new(Timestamp::EPOCH, LinkType::RAW, b"three")).unwrap();
    assert_eq!(frames(&writer.finish().unwrap()).len(), 2);
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |format, time, link| {
        let mut writer = Writer::new(Vec::new(), format);
        let error = writer.write(&Frame::new(time, link, b"x")).unwrap_err();
        assert!(error.is_recoverable() && frames(&writer.finish().unwrap()).is_empty());
        error.to_string()
    };
    let late = Timestamp::new(1 << 32, 0);
    let text = refused(Format::Pcap, late, LinkType::RAW);
    assert_eq!(text, "record 1 is not written: seconds is 4294967296, expected a time from 1970 to 2106");
    for format in FORMATS {
        assert!(refused(format, Timestamp::new(-1, 0), LinkType::RAW).contains("a time from 1970"));
        assert!(refused(format, Timestamp::EPOCH, LinkType(1 << 26)).contains("link_type is 67108864"));
    }
    let mut writer = Writer::new(Vec::new(), Format::PcapNg);
    writer.write(&Frame::new(late, LinkType::RAW, b"x")).unwrap();
    assert_eq!(frames(&writer.finish().unwrap())[0].time, late);
    let long = vec![0; mailslot::capture::MAX_RECORD_LEN + 1];
    let mut writer = Writer::new(io::sink(), Format::Pcap);
    assert!(writer.write(&Frame::new(Timestamp::EPOCH, LinkType::RAW, &long)).unwrap_err().is_recoverable());
}

#[test]
fn interfaces_are_bounded() {
    let mut writer = Writer::new(io::sink(), Format::PcapNg);
    let mut frame = Frame::new(Timestamp::EPOCH, LinkType::RAW, b"x");
    for number in 0..4096 {
        frame.interface = number;
        writer.write(&frame).unwrap();
    }
    frame.interface = 5000;
    assert!(writer.write(&frame).unwrap_err().to_string().contains("at most 4096 interfaces"));
    frame.interface = 17;
    writer.write(&frame).unwrap();
}

/// A sink that counts flushes and fails when told to.
#[derive(Debug)]
struct Sink {
    written: Vec<u8>,
    flushed: usize,
    full: bool,
}

impl Write for &mut Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.full {
            return Err(io::Error::other("the disk is full"));
        }
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = self.written.len();
        Ok(())
    }
}

#[test]
fn flushing_makes_a_whole_file() {
    for format in FORMATS {
        let mut sink = Sink { written: Vec::new(), flushed: 0, full: false };
        for count in 1..4 {
            let mut writer = Writer::new(&mut sink, format);
            for _ in 0..count {
                writer.write(&Frame::new(Timestamp::EPOCH, LinkType::ETHERNET, b"frame")).unwrap();
            }
            writer.flush().unwrap();
            // Not dropped: nothing more is written.
            std::mem::forget(writer);
            assert_eq!((frames(&sink.written).len(), sink.flushed), (count, sink.written.len()));
            sink.written.clear();
        }
        sink.full = true;
        let mut writer = Writer::new(&mut sink, format);
        writer.write(&Frame::new(Timestamp::EPOCH, LinkType::ETHERNET, b"frame")).unwrap();
        let error = writer.finish().unwrap_err();
        assert_eq!(error.to_string(), "cannot write record 1: the disk is full");
        assert!(!error.is_recoverable());
    }
}

proptest! {
    #[test]
    fn any_frames_come_back(
        given in prop::collection::vec(
            (0_i64..1 << 32, 0_u32..1_000_000, 0_u32..3, prop::collection::vec(any::<u8>(), 0..70), any::<u16>()),
            0..20,
        ),
        link in 0_u32..300,
    ) {
        for format in FORMATS {
            let mut writer = Writer::new(Vec::new(), format);
            for (seconds, micros, interface, bytes, more) in &given {
                let mut frame = Frame::new(Timestamp::new(*seconds, micros * 1000), LinkType(link), bytes);
                frame.interface = *interface;
                frame.original_len += u32::from(*more);
                writer.write(&frame).unwrap();
            }
            let (seen, errors) = read_all(&writer.finish().unwrap());
            prop_assert!(errors.is_empty(), "{errors:?}");
            prop_assert_eq!(seen.len(), given.len());
            for (seen, (seconds, micros, _, bytes, more)) in seen.iter().zip(&given) {
                prop_assert_eq!(seen.time, Timestamp::new(*seconds, micros * 1000));
                prop_assert_eq!((seen.link, &seen.bytes), (LinkType(link), bytes));
                prop_assert_eq!(seen.original_len as usize, bytes.len() + usize::from(*more));
            }
        }
    }
}

/// What tshark reads: time, lengths, protocols and the bytes of each frame.
fn tshark(path: &Path) -> Option<String> {
    let fields = ["frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols", "frame.encap_type"];
    let fields = fields.iter().flat_map(|field| ["-e", field]);
    let output = Command::new("tshark").arg("-r").arg(path).args(["-T", "fields"]).args(fields).output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) => {
            eprintln!("SKIPPED: tshark does not run: {error}");
            None
        }
    }
}

#[test]
fn tshark_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        tshark(&path)
    };
    let Some(original) = read("original", &lab()) else { return };
    assert_eq!(original.lines().count(), 26);
    for format in FORMATS {
        assert_eq!(read("written", &rewrite(&lab(), format).unwrap()).unwrap(), original);
    }
    // Two interfaces, a cut frame, nanoseconds.
    let mut writer = Writer::new(Vec::new(), Format::PcapNg);
    let bytes = &frames(&lab())[0].bytes;
    let mut frame = Frame::new(Timestamp::new(1_700_000_000, 123_456_789), LinkType::ETHERNET, bytes);
    writer.write(&frame).unwrap();
    (frame.link, frame.bytes, frame.original_len) = (LinkType::RAW, &bytes[14..60], 300);
    writer.write(&frame).unwrap();
    let seen = read("mixed", &writer.finish().unwrap()).unwrap();
    let fields: Vec<Vec<&str>> = seen.lines().map(|line| line.split('\t').collect()).collect();
    assert!(fields[0][0].contains(".123456789"), "{seen}");
    assert_eq!(fields[0][1], bytes.len().to_string());
    assert_eq!((fields[1][1], fields[1][2], fields[1][4]), ("300", "46", "7"));
    // The magic number that others look for.
    assert_eq!(rewrite(&lab(), Format::Pcap).unwrap()[..4], pcap(Order::Little, 0xa1b2_c3d4, 4, 1)[..4]);
}
