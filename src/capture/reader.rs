//! The streaming reader for pcap and pcapng.

use core::mem;
use std::io::{self, Read};

use pcap_parser::{LegacyPcapBlock, PcapError, pcap};

use super::blocks::{self, ByteOrder, Flaw, Interface, Record};
use super::error::{CaptureError, FileStart};
use super::frame::{Frame, LinkType, Timestamp};
use super::input::Input;

/// Longest frame that is read, in bytes: the largest snapshot length of libpcap. Longer ones are skipped.
pub const MAX_RECORD_LEN: usize = 256 * 1024;

/// Longest pcapng packet or interface block that is read, in bytes: a frame and 64 KiB for its options.
pub const MAX_BLOCK_LEN: usize = MAX_RECORD_LEN + 64 * 1024;

/// Most interfaces of one pcapng section that are remembered. Packets of further ones are skipped.
pub const MAX_INTERFACES: usize = 4096;

/// Reads the frames of a capture file one after the other, in constant memory.
///
/// The source is read once from its beginning to its end and never sought: a file, standard input, a
/// decompressor. It is read in portions of 128 KiB, so no `BufReader` is needed around it.
///
/// * Classic pcap in both byte orders, with microseconds (magic `a1b2c3d4`) or nanoseconds (`a1b23c4d`), and
///   the 24-byte records of Kuznetzov's variant (`a1b2cd34`, little-endian only). `thiszone` is ignored, as
///   other readers do; the upper six bits of the link type (length of the frame check sequence) are cut off.
///   In files before version 2.3 the two lengths of a record are swapped.
/// * pcapng: any number of sections of either byte order, interface descriptions with `if_tsresol` and
///   `if_tsoffset`, enhanced, simple and obsolete packet blocks. All other blocks are skipped, whatever their
///   length.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    format: State,
    /// Records met so far.
    records: u64,
    /// Records met and not given.
    skipped: u64,
    skip: Skip,
    finished: bool,
}

/// A record or block that is to be passed over before anything else is read.
#[derive(Debug, Clone, Copy, Default)]
struct Skip {
    /// Its length in bytes; 0 is none.
    len: u64,
    /// Where it begins.
    offset: u64,
    /// Its number, or that of the record that would come next.
    record: u64,
}

/// The file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Classic pcap.
    Pcap,
    /// pcapng.
    PcapNg,
}

#[derive(Debug)]
enum State {
    Classic(Classic),
    NextGeneration(Section),
}

/// What the header of a classic file says.
#[derive(Debug, Clone, Copy)]
struct Classic {
    records: Records,
    link: LinkType,
    /// Nanoseconds per tick of the fraction: 1 or 1000.
    tick: u32,
    /// Captured and original length change places: always before version 2.3, in 2.3 where they must.
    swap: Swap,
}

/// The form of a classic file's records.
#[derive(Debug, Clone, Copy)]
enum Records {
    Little,
    Big,
    Modified,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Swap {
    Never,
    Larger,
    Always,
}

/// The current section of a pcapng file.
#[derive(Debug)]
struct Section {
    order: ByteOrder,
    interfaces: Vec<Interface>,
}

const FILE_HEADER: usize = 24;
const CLASSIC_RECORD: usize = 16;
const MODIFIED_RECORD: usize = 24;

impl<R: Read> Reader<R> {
    /// Recognises the format from the first bytes of `source`.
    ///
    /// # Errors
    ///
    /// [`CaptureError::NotACapture`] if they are of no known format, [`CaptureError::Unsupported`] for a
    /// version of pcap other than 2, [`CaptureError::Truncated`] if the file ends inside its header,
    /// [`CaptureError::Io`] if the source cannot be read.
    pub fn new(source: R) -> Result<Self, CaptureError> {
        let mut input = Input::new(source, MAX_BLOCK_LEN);
        let io = |source| CaptureError::Io { record: 0, offset: 0, source };
        let known = input.fill(4).map_err(io)?;
        let magic = ByteOrder::Little.u32(input.data(), 0);
        let format = match magic.filter(|_| known) {
            Some(blocks::SECTION_HEADER) => {
                if !input.fill(12).map_err(io)? {
                    return Err(header_cut(&input, 12));
                }
                let start = FileStart::new(input.data());
                let order = ByteOrder::of_section(input.data()).ok_or(CaptureError::NotACapture { start })?;
                State::NextGeneration(Section { order, interfaces: Vec::new() })
            }
            Some(0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34 | 0xd4c3_b2a1 | 0x4d3c_b2a1) => {
                if !input.fill(FILE_HEADER).map_err(io)? {
                    return Err(header_cut(&input, FILE_HEADER));
                }
                let classic = Classic::parse(input.data())?;
                input.take(FILE_HEADER);
                State::Classic(classic)
            }
            Some(value @ 0x34cd_b2a1) => {
                return Err(CaptureError::Unsupported { what: "big-endian modified pcap, magic", value });
            }
            _ => {
                // Eight bytes for the message, if there are so many.
                input.fill(8).map_err(io)?;
                return Err(CaptureError::NotACapture { start: FileStart::new(input.data()) });
            }
        };
        Ok(Self { input, format, records: 0, skipped: 0, skip: Skip::default(), finished: false })
    }

    /// The next frame; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// After an error for which [`CaptureError::is_recoverable`] holds, the next call goes on behind the record
    /// concerned. After any other one, [`CaptureError::Truncated`] among them, it returns `None`.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        if self.finished {
            return Ok(None);
        }
        let next = match &mut self.format {
            State::Classic(classic) => {
                let classic = *classic;
                self.next_classic(classic)
            }
            State::NextGeneration(_) => self.next_block(),
        };
        match next {
            Ok(Some((record, whole))) => {
                self.records += 1;
                let bytes = self.input.take(whole).get(record.at..).unwrap_or_default();
                Ok(Some(Frame {
                    number: self.records,
                    time: record.time,
                    link: record.link,
                    interface: record.interface,
                    original_len: record.original_len,
                    bytes: bytes.get(..record.len).unwrap_or_default(),
                }))
            }
            Ok(None) => {
                self.finished = true;
                Ok(None)
            }
            Err(error) => {
                self.finished = !error.is_recoverable();
                Err(error)
            }
        }
    }

    /// The format of the file.
    pub const fn format(&self) -> Format {
        match self.format {
            State::Classic(_) => Format::Pcap,
            State::NextGeneration(_) => Format::PcapNg,
        }
    }

    /// Packet records met so far, the skipped ones included.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Packet records skipped so far; for each, [`Self::next_frame`] returned an error.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Bytes of the source consumed so far.
    pub fn position(&self) -> u64 {
        self.input.offset()
    }

    /// The record that begins the unconsumed bytes of a classic file, and its length with its header.
    #[inline]
    fn next_classic(&mut self, classic: Classic) -> Result<Option<(Record, usize)>, CaptureError> {
        loop {
            if self.skip.len == 0
                && let Some(found) = classic.record(self.input.data())
            {
                return Ok(Some(found));
            }
            if !self.more_classic(classic)? {
                return Ok(None);
            }
        }
    }

    /// Reads on until a whole record is there; false at the end of the file.
    #[cold]
    fn more_classic(&mut self, classic: Classic) -> Result<bool, CaptureError> {
        self.pass_over()?;
        let header = classic.header_len();
        if !self.fill(header)? {
            return self.at_end(header as u64);
        }
        let len = classic.captured_len(self.input.data());
        let whole = len + header as u64;
        match usize::try_from(len) {
            Ok(len) if len <= MAX_RECORD_LEN => {
                if self.fill(header + len)? {
                    Ok(true)
                } else {
                    self.at_end(whole)
                }
            }
            _ => Err(self.too_long(whole, len, MAX_RECORD_LEN)),
        }
    }

    /// The record of the next packet block of a pcapng file, and the block's length.
    fn next_block(&mut self) -> Result<Option<(Record, usize)>, CaptureError> {
        loop {
            self.pass_over()?;
            // A section header is known by its type alone; its byte order must be known before its length.
            if !self.fill(12)? {
                self.at_end(12)?;
                return Ok(None);
            }
            let State::NextGeneration(section) = &mut self.format else { return Ok(None) };
            let data = self.input.data();
            let kind = section.order.u32(data, 0).unwrap_or_default();
            if kind == blocks::SECTION_HEADER {
                match ByteOrder::of_section(data) {
                    Some(order) => section.order = order,
                    None => {
                        let magic = section.order.u32(data, 8).unwrap_or_default();
                        return Err(self.malformed("byte_order_magic", magic.into(), "1a2b3c4d"));
                    }
                }
                section.interfaces.clear();
            }
            let order = section.order;
            let len = order.u32(data, 4).unwrap_or_default();
            let least = if kind == blocks::SECTION_HEADER { 28 } else { 12 };
            if len < least || len % 4 != 0 {
                let expected = "a multiple of 4 that holds the block's fixed fields";
                return Err(self.malformed("block_total_length", len.into(), expected));
            }
            let whole = match usize::try_from(len) {
                Ok(whole) if whole <= MAX_BLOCK_LEN => whole,
                _ => match kind {
                    blocks::PACKET | blocks::SIMPLE_PACKET | blocks::ENHANCED_PACKET => {
                        return Err(self.too_long(len.into(), len.into(), MAX_BLOCK_LEN));
                    }
                    blocks::INTERFACE_DESCRIPTION => {
                        let expected = "an interface description of at most 320 KiB";
                        return Err(self.malformed("block_total_length", len.into(), expected));
                    }
                    _ => {
                        self.start_skip(len.into());
                        continue;
                    }
                },
            };
            if !self.fill(whole)? {
                self.at_end(len.into())?;
            }
            if let Some(record) = self.block(kind, whole, order)? {
                return Ok(Some((record, whole)));
            }
        }
    }

    /// Reads the block of `whole` bytes that is there; consumes it unless it gives a record.
    fn block(&mut self, kind: u32, whole: usize, order: ByteOrder) -> Result<Option<Record>, CaptureError> {
        let State::NextGeneration(section) = &mut self.format else { return Ok(None) };
        let block = self.input.data().get(..whole).unwrap_or_default();
        let trailer = order.u32(block, whole.saturating_sub(4)).unwrap_or_default();
        if usize::try_from(trailer) != Ok(whole) {
            let expected = "the length at the block's beginning";
            return Err(self.malformed("block_total_length_at_end", trailer.into(), expected));
        }
        match kind {
            blocks::PACKET | blocks::SIMPLE_PACKET | blocks::ENHANCED_PACKET => {
                match blocks::packet(kind, block, order, &section.interfaces) {
                    Ok(record) if record.len <= MAX_RECORD_LEN => return Ok(Some(record)),
                    Ok(record) => {
                        return Err(self.too_long(whole as u64, record.len as u64, MAX_RECORD_LEN));
                    }
                    Err(flaw) => return Err(self.flawed(flaw, whole as u64)),
                }
            }
            blocks::INTERFACE_DESCRIPTION => match Interface::parse(block, order) {
                Some(interface) if section.interfaces.len() < MAX_INTERFACES => {
                    section.interfaces.push(interface);
                }
                Some(_) => {}
                None => {
                    let expected = "20 bytes or more";
                    return Err(self.malformed("interface_description", whole as u64, expected));
                }
            },
            _ => {}
        }
        self.input.take(whole);
        Ok(None)
    }

    fn fill(&mut self, needed: usize) -> Result<bool, CaptureError> {
        self.input.fill(needed).map_err(|source| self.io(source))
    }

    /// The end of the file, `needed` bytes from here on expected: false at a record's border.
    fn at_end(&self, needed: u64) -> Result<bool, CaptureError> {
        match self.input.data().len() as u64 {
            0 => Ok(false),
            have => Err(CaptureError::Truncated {
                record: self.records + 1,
                offset: self.input.offset(),
                needed,
                have,
            }),
        }
    }

    /// Passes over `len` bytes before anything else is read.
    fn start_skip(&mut self, len: u64) {
        self.skip = Skip { len, offset: self.input.offset(), record: self.records + 1 };
    }

    /// Does what [`Self::start_skip`] left to do.
    fn pass_over(&mut self) -> Result<(), CaptureError> {
        let Skip { len: needed, offset, record } = mem::take(&mut self.skip);
        if needed == 0 {
            return Ok(());
        }
        let have = self.input.skip(needed).map_err(|source| self.io(source))?;
        if have < needed {
            return Err(CaptureError::Truncated { record, offset, needed, have });
        }
        Ok(())
    }

    /// Counts the record that begins here as skipped, and passes over its `whole` bytes next.
    fn pass_record(&mut self, whole: u64) -> (u64, u64) {
        self.start_skip(whole);
        self.records += 1;
        self.skipped += 1;
        (self.skip.record, self.skip.offset)
    }

    fn too_long(&mut self, whole: u64, len: u64, max: usize) -> CaptureError {
        let (record, offset) = self.pass_record(whole);
        CaptureError::TooLong { record, offset, len, max: max as u64 }
    }

    fn flawed(&mut self, flaw: Flaw, whole: u64) -> CaptureError {
        let (record, offset) = self.pass_record(whole);
        match flaw {
            Flaw::Short => CaptureError::BadRecord { record, offset, len: whole, max: 0 },
            Flaw::UnknownInterface(interface) => CaptureError::UnknownInterface { record, offset, interface },
            Flaw::Len { len, max } => {
                CaptureError::BadRecord { record, offset, len: len.into(), max: max as u64 }
            }
        }
    }

    fn io(&self, source: io::Error) -> CaptureError {
        CaptureError::Io { record: self.records + 1, offset: self.input.offset(), source }
    }

    fn malformed(&self, field: &'static str, value: u64, expected: &'static str) -> CaptureError {
        let (record, offset) = (self.records + 1, self.input.offset());
        CaptureError::Malformed { record, offset, field, value, expected }
    }
}

impl Classic {
    /// Reads the 24 bytes of the file header.
    fn parse(header: &[u8]) -> Result<Self, CaptureError> {
        let start = FileStart::new(header);
        let (_, header) = pcap::parse_pcap_header(header).map_err(|_| CaptureError::NotACapture { start })?;
        if header.version_major != 2 {
            let value = u32::from(header.version_major) << 16 | u32::from(header.version_minor);
            return Err(CaptureError::Unsupported { what: "pcap version (major << 16 | minor)", value });
        }
        let records = match (header.is_modified_format(), header.is_bigendian()) {
            (true, _) => Records::Modified,
            (false, true) => Records::Big,
            (false, false) => Records::Little,
        };
        Ok(Self {
            records,
            link: LinkType(header.network.0.cast_unsigned() & 0x03ff_ffff),
            tick: if header.is_nanosecond_precision() { 1 } else { 1000 },
            swap: match header.version_minor {
                0..=2 => Swap::Always,
                3 => Swap::Larger,
                _ => Swap::Never,
            },
        })
    }

    const fn header_len(self) -> usize {
        match self.records {
            Records::Little | Records::Big => CLASSIC_RECORD,
            Records::Modified => MODIFIED_RECORD,
        }
    }

    /// The captured and the original length, in this order.
    #[inline]
    fn lengths(self, captured: u32, original: u32) -> (u32, u32) {
        match self.swap {
            Swap::Never => (captured, original),
            Swap::Larger => (captured.min(original), captured.max(original)),
            Swap::Always => (original, captured),
        }
    }

    /// The captured length in a record header that is wholly there.
    fn captured_len(self, header: &[u8]) -> u64 {
        let order = if matches!(self.records, Records::Big) { ByteOrder::Big } else { ByteOrder::Little };
        let word = |at| order.u32(header, at).unwrap_or_default();
        self.lengths(word(8), word(12)).0.into()
    }

    /// The record that begins `data` and its length with the header, if all of it is there.
    #[inline]
    fn record(self, data: &[u8]) -> Option<(Record, usize)> {
        let header_len = self.header_len();
        let (seconds, fraction, captured, original) = if self.swap == Swap::Never {
            let block = self.block(data).ok()?;
            (block.ts_sec, block.ts_usec, block.caplen, block.origlen)
        } else {
            self.old_record(data)?
        };
        let len = usize::try_from(captured).ok().filter(|len| *len <= MAX_RECORD_LEN)?;
        let nanoseconds = u64::from(fraction) * u64::from(self.tick);
        let record = Record {
            time: time(seconds, nanoseconds),
            link: self.link,
            interface: 0,
            original_len: original,
            at: header_len,
            len,
        };
        Some((record, header_len + len))
    }

    #[inline]
    fn block(self, data: &[u8]) -> Result<LegacyPcapBlock<'_>, nom::Err<PcapError<&[u8]>>> {
        let (_, block) = match self.records {
            Records::Little => pcap::parse_pcap_frame(data)?,
            Records::Big => pcap::parse_pcap_frame_be(data)?,
            Records::Modified => pcap::parse_pcap_frame_modified(data)?,
        };
        Ok(block)
    }

    /// A record of a file in which the lengths may be swapped, which pcap-parser does not know.
    #[cold]
    fn old_record(self, data: &[u8]) -> Option<(u32, u32, u32, u32)> {
        let order = if matches!(self.records, Records::Big) { ByteOrder::Big } else { ByteOrder::Little };
        let (captured, original) = self.lengths(order.u32(data, 8)?, order.u32(data, 12)?);
        let end = usize::try_from(captured).ok()?.checked_add(self.header_len())?;
        data.get(..end)?;
        Some((order.u32(data, 0)?, order.u32(data, 4)?, captured, original))
    }
}

#[inline]
fn time(seconds: u32, nanoseconds: u64) -> Timestamp {
    match u32::try_from(nanoseconds) {
        Ok(nanoseconds) => Timestamp::new(seconds.into(), nanoseconds),
        // A fraction of more than 4.29 s is damage; it is carried all the same.
        Err(_) => {
            let carry = i64::try_from(nanoseconds / 1_000_000_000).unwrap_or_default();
            let rest = u32::try_from(nanoseconds % 1_000_000_000).unwrap_or_default();
            Timestamp::new(i64::from(seconds) + carry, rest)
        }
    }
}

fn header_cut<R: Read>(input: &Input<R>, needed: usize) -> CaptureError {
    CaptureError::Truncated { record: 0, offset: 0, needed: needed as u64, have: input.data().len() as u64 }
}
