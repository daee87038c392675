//! Writing captures: classic pcap and pcapng.
//!
//! The records are written by hand and not with pcap-parser's `serialize`: that allocates for each record, is an
//! order of magnitude slower, and brings five packages for what are two fixed headers here.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use super::blocks;
use super::error::CaptureError;
use super::frame::{Frame, LinkType, Timestamp};
use super::reader::{Format, MAX_INTERFACES, MAX_RECORD_LEN};

/// Writes frames to a capture file, as they were read.
///
/// * Classic pcap: version 2.4, little-endian, microseconds (what a frame's time has beyond is cut off), one
///   link type for the file.
/// * pcapng: one little-endian section, nanoseconds (`if_tsresol` 9), an interface description for each
///   interface number and link type when its first frame comes. The numbers are given anew in this order.
///
/// The link type of the first frame is written in the header, so a file without frames gets its header from
/// [`Self::finish`]. What is written is buffered, 64 KiB at most; dropping the writer writes it out and passes
/// over errors, [`Self::finish`] reports them.
///
/// ```
/// use mailslot::capture::{CaptureError, Format, Frame, LinkType, Reader, Timestamp, Writer};
///
/// let mut writer = Writer::new(Vec::new(), Format::PcapNg);
/// writer.write(&Frame::new(Timestamp::new(1_000_000_000, 5), LinkType::ETHERNET, b"a frame"))?;
/// let file = writer.finish()?;
///
/// let mut reader = Reader::new(file.as_slice())?;
/// let frame = reader.next_frame()?.expect("one was written");
/// assert_eq!((frame.bytes, frame.time.nanoseconds()), (&b"a frame"[..], 5));
/// # Ok::<(), CaptureError>(())
/// ```
#[derive(Debug)]
pub struct Writer<W: Write> {
    sink: BufWriter<W>,
    form: Form,
    frames: u64,
}

#[derive(Debug)]
enum Form {
    /// The file's link type, once it is written.
    Classic(Option<LinkType>),
    NextGeneration {
        begun: bool,
        /// The new numbers of the interfaces.
        interfaces: BTreeMap<(u32, LinkType), u32>,
        last: Option<((u32, LinkType), u32)>,
    },
}

const BUFFER_LEN: usize = 64 * 1024;
/// Bytes of an enhanced packet block beside the frame.
const PACKET_BLOCK: usize = 32;

impl<W: Write> Writer<W> {
    /// A writer to `sink`; nothing is written yet.
    pub fn new(sink: W, format: Format) -> Self {
        let form = match format {
            Format::Pcap => Form::Classic(None),
            Format::PcapNg => Form::NextGeneration { begun: false, interfaces: BTreeMap::new(), last: None },
        };
        Self { sink: BufWriter::with_capacity(BUFFER_LEN, sink), form, frames: 0 }
    }

    /// The format of the file.
    pub const fn format(&self) -> Format {
        match self.form {
            Form::Classic(_) => Format::Pcap,
            Form::NextGeneration { .. } => Format::PcapNg,
        }
    }

    /// Frames written so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Writes a frame: its time, link type, both lengths and bytes. Its number is that of its place.
    ///
    /// # Errors
    ///
    /// Without effect on the file, so that the next frame can be written:
    /// [`CaptureError::MixedLinkTypes`] in classic pcap for another link type than that of the frames before,
    /// [`CaptureError::NotWritable`] if a field does not fit: a time before 1970, in classic pcap after 2106,
    /// in pcapng after 2554, a link type of more than 16 bits (26 in classic pcap), a frame longer than
    /// [`MAX_RECORD_LEN`], more than [`MAX_INTERFACES`] interfaces.
    ///
    /// [`CaptureError::Write`] if the sink fails; the file is damaged then.
    pub fn write(&mut self, frame: &Frame<'_>) -> Result<(), CaptureError> {
        let number = self.frames + 1;
        let bad =
            |field, value, expected| CaptureError::NotWritable { record: number, field, value, expected };
        let captured = u32::try_from(frame.bytes.len())
            .ok()
            .filter(|_| frame.bytes.len() <= MAX_RECORD_LEN)
            .ok_or_else(|| bad("captured_len", frame.bytes.len() as u64, "at most 262144"))?;
        match self.form {
            Form::Classic(_) => self.write_record(frame, captured, bad)?,
            Form::NextGeneration { .. } => self.write_block(frame, captured, bad)?,
        }
        self.frames = number;
        Ok(())
    }

    /// Hands all that was written to the sink, and flushes it. The file is a whole one at this point, once a
    /// frame was written.
    ///
    /// # Errors
    ///
    /// [`CaptureError::Write`] if the sink fails.
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        self.sink.flush().map_err(|source| CaptureError::Write { record: self.frames, source })
    }

    /// Completes the file and gives the sink back. A classic file without frames becomes one of Ethernet.
    ///
    /// # Errors
    ///
    /// [`CaptureError::Write`] if the sink fails.
    pub fn finish(mut self) -> Result<W, CaptureError> {
        self.begin(LinkType::ETHERNET)?;
        self.flush()?;
        let record = self.frames;
        self.sink.into_inner().map_err(|error| CaptureError::Write { record, source: error.into_error() })
    }

    /// Writes the file header if it is not there.
    fn begin(&mut self, link: LinkType) -> Result<(), CaptureError> {
        match &mut self.form {
            Form::Classic(Some(_)) | Form::NextGeneration { begun: true, .. } => Ok(()),
            Form::Classic(none) => {
                *none = Some(link);
                let mut header = [0; 24];
                fill(&mut header, &[0xa1b2_c3d4, 4 << 16 | 2, 0, 0, RECORD_LEN, link.0]);
                self.put(&header)
            }
            Form::NextGeneration { begun, .. } => {
                *begun = true;
                let mut header = [0; 28];
                // Version 1.0, length of the section unknown.
                fill(&mut header, &[blocks::SECTION_HEADER, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28]);
                self.put(&header)
            }
        }
    }

    fn write_record(
        &mut self,
        frame: &Frame<'_>,
        captured: u32,
        bad: impl Fn(&'static str, u64, &'static str) -> CaptureError,
    ) -> Result<(), CaptureError> {
        let Form::Classic(file) = self.form else { return Ok(()) };
        if let Some(file) = file.filter(|file| *file != frame.link) {
            return Err(CaptureError::MixedLinkTypes { record: self.frames + 1, file, frame: frame.link });
        }
        if frame.link.0 > 0x03ff_ffff {
            return Err(bad("link_type", frame.link.0.into(), "at most 26 bits"));
        }
        let seconds = u32::try_from(frame.time.seconds())
            .map_err(|_| bad("seconds", frame.time.seconds().cast_unsigned(), "a time from 1970 to 2106"))?;
        self.begin(frame.link)?;
        let mut header = [0; 16];
        fill(&mut header, &[seconds, frame.time.nanoseconds() / 1000, captured, frame.original_len]);
        self.put(&header)?;
        self.put(frame.bytes)
    }

    fn write_block(
        &mut self,
        frame: &Frame<'_>,
        captured: u32,
        bad: impl Fn(&'static str, u64, &'static str) -> CaptureError,
    ) -> Result<(), CaptureError> {
        let time = nanoseconds(frame.time).ok_or_else(|| {
            bad("seconds", frame.time.seconds().cast_unsigned(), "a time from 1970 to 2554")
        })?;
        let link = u16::try_from(frame.link.0)
            .map_err(|_| bad("link_type", frame.link.0.into(), "at most 16 bits"))?;
        self.begin(frame.link)?;
        let interface = self.interface((frame.interface, frame.link), link, bad)?;
        let padded = frame.bytes.len().next_multiple_of(4);
        let whole = u32::try_from(padded + PACKET_BLOCK).unwrap_or(u32::MAX);
        let mut header = [0; 28];
        let [high, low] = halves(time);
        let fields = [blocks::ENHANCED_PACKET, whole, interface, high, low, captured, frame.original_len];
        fill(&mut header, &fields);
        self.put(&header)?;
        self.put(frame.bytes)?;
        self.put([0; 3].get(..padded - frame.bytes.len()).unwrap_or_default())?;
        self.put(&whole.to_le_bytes())
    }

    /// The number of an interface, which is described before its first frame.
    fn interface(
        &mut self,
        key: (u32, LinkType),
        link: u16,
        bad: impl Fn(&'static str, u64, &'static str) -> CaptureError,
    ) -> Result<u32, CaptureError> {
        let Form::NextGeneration { interfaces, last, .. } = &mut self.form else { return Ok(0) };
        if let Some((_, number)) = last.filter(|(last, _)| *last == key) {
            return Ok(number);
        }
        let next = interfaces.len();
        let known = interfaces.get(&key).copied();
        let number = match known {
            Some(number) => number,
            None if next >= MAX_INTERFACES => {
                return Err(bad("interface", next as u64, "at most 4096 interfaces"));
            }
            None => u32::try_from(next).unwrap_or(u32::MAX),
        };
        interfaces.insert(key, number);
        *last = Some((key, number));
        if known.is_none() {
            let mut block = [0; 32];
            // No snapshot length; the option if_tsresol (9) of one byte, and the end of the options.
            fill(&mut block, &[blocks::INTERFACE_DESCRIPTION, 32, link.into(), 0, 1 << 16 | 9, 9, 0, 32]);
            self.put(&block)?;
        }
        Ok(number)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), CaptureError> {
        self.sink.write_all(bytes).map_err(|source| CaptureError::Write { record: self.frames + 1, source })
    }
}

/// What the header of a classic file says about the longest record.
#[allow(clippy::cast_possible_truncation)]
const RECORD_LEN: u32 = MAX_RECORD_LEN as u32;

/// Little-endian words.
#[inline]
fn fill(to: &mut [u8], words: &[u32]) {
    for (to, word) in to.chunks_exact_mut(4).zip(words) {
        to.copy_from_slice(&word.to_le_bytes());
    }
}

fn nanoseconds(time: Timestamp) -> Option<u64> {
    u64::try_from(time.seconds()).ok()?.checked_mul(1_000_000_000)?.checked_add(time.nanoseconds().into())
}

/// The upper and the lower half.
#[allow(clippy::cast_possible_truncation)]
const fn halves(value: u64) -> [u32; 2] {
    [(value >> 32) as u32, value as u32]
}
