//! RTP and RTCP packets with the time of their arrival, as `rtpdump` of the rtptools writes them, and
//! Wireshark and browsers do.
//!
//! The file begins with a line of text, `#!rtpplay1.0 address/port`, and
//!
//! ```text
//! bytes 0-3    start of the recording, seconds since 1970
//! bytes 4-7    microseconds
//! bytes 8-11   address that packets came from
//! bytes 12-13  port
//! bytes 14-15  unused
//! ```
//!
//! and each packet with
//!
//! ```text
//! bytes 0-1    length with these 8 bytes
//! bytes 2-3    length of the packet as it was received; 0 for RTCP
//! bytes 4-7    milliseconds since the start
//! ```
//!
//! all in network byte order.

use crate::Error;
use crate::input::Input;
use crate::output::Output;
use bytes::Bytes;
use std::io::{Read, Write};
use std::net::SocketAddrV4;
use std::time::Duration;

/// How the line of text begins.
const MAGIC: &[u8] = b"#!rtpplay1.0 ";

/// The longest line of text that is accepted, in bytes.
const MAX_LINE_LEN: usize = 256;

/// Bytes before each packet.
const HEADER_LEN: u16 = 8;

/// A recorded packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// When it was received, from the start of the recording; in milliseconds.
    pub time: Duration,
    /// Whether it is of RTCP.
    pub is_rtcp: bool,
    /// How long it was; more than `data` if only its start was recorded.
    pub original_len: u16,
    /// The packet.
    pub data: Bytes,
}

impl Entry {
    /// A whole packet.
    #[must_use]
    pub fn new(time: Duration, is_rtcp: bool, data: impl Into<Bytes>) -> Self {
        let data = data.into();
        Self {
            time,
            is_rtcp,
            original_len: u16::try_from(data.len()).unwrap_or(u16::MAX),
            data,
        }
    }
}

/// Reads a recording packet by packet.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    source: SocketAddrV4,
    start: Duration,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownFormat`] if it is none, [`Error::Truncated`].
    pub fn new(inner: R) -> Result<Self, Error> {
        let mut input = Input::new(inner);
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let [byte] = input.array()?;
            line.push(byte);
            let known = line.len().min(MAGIC.len());
            if line[..known] != MAGIC[..known] || line.len() > MAX_LINE_LEN {
                return Err(Error::UnknownFormat);
            }
        }
        let start = Duration::from_secs(u32::from_be_bytes(input.array()?).into())
            + Duration::from_micros(u32::from_be_bytes(input.array()?).into());
        let source = input.array::<4>()?;
        let [p0, p1, _, _] = input.array()?;
        Ok(Self {
            input,
            source: SocketAddrV4::new(source.into(), u16::from_be_bytes([p0, p1])),
            start,
        })
    }

    /// Where the packets came from.
    pub fn source(&self) -> SocketAddrV4 {
        self.source
    }

    /// When the recording began, since 1970.
    pub fn start(&self) -> Duration {
        self.start
    }

    /// The next packet, or `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if the file ends within a packet, [`Error::Malformed`].
    pub fn read_entry(&mut self) -> Result<Option<Entry>, Error> {
        let Some([l0, l1, p0, p1, t0, t1, t2, t3]) = self.input.array_or_end::<8>()? else {
            return Ok(None);
        };
        let len = u16::from_be_bytes([l0, l1])
            .checked_sub(HEADER_LEN)
            .ok_or_else(|| self.input.malformed("a packet shorter than its header"))?;
        let original = u16::from_be_bytes([p0, p1]);
        let milliseconds = u32::from_be_bytes([t0, t1, t2, t3]);
        let data = self.input.bytes("packet", len.into(), usize::from(len))?;
        Ok(Some(Entry {
            time: Duration::from_millis(milliseconds.into()),
            is_rtcp: original == 0,
            original_len: original.max(len),
            data,
        }))
    }
}

/// Writes a recording packet by packet.
#[derive(Debug)]
pub struct Writer<W> {
    output: Output<W>,
}

impl<W: Write> Writer<W> {
    /// Writes the header: where packets come from, and when the recording begins, since 1970.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn new(inner: W, source: SocketAddrV4, start: Duration) -> Result<Self, Error> {
        let mut output = Output::streaming(inner);
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(format!("{}/{}\n", source.ip(), source.port()).as_bytes());
        // The seconds wrap in 2106.
        let seconds = u32::try_from(start.as_secs() & u64::from(u32::MAX)).unwrap_or(0);
        header.extend_from_slice(&seconds.to_be_bytes());
        header.extend_from_slice(&start.subsec_micros().to_be_bytes());
        header.extend_from_slice(&source.ip().octets());
        header.extend_from_slice(&source.port().to_be_bytes());
        header.extend_from_slice(&[0; 2]);
        output.write(&header)?;
        Ok(Self { output })
    }

    /// Writes a packet.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] for one of more than 65 527 bytes, [`Error::Io`].
    pub fn write_entry(&mut self, entry: &Entry) -> Result<(), Error> {
        let len = u16::try_from(entry.data.len())
            .ok()
            .and_then(|len| len.checked_add(HEADER_LEN))
            .ok_or(Error::TooLarge {
                what: "packet",
                len: entry.data.len() as u64,
                limit: u64::from(u16::MAX - HEADER_LEN),
            })?;
        let original = if entry.is_rtcp { 0 } else { entry.original_len };
        let milliseconds = u32::try_from(entry.time.as_millis()).unwrap_or(u32::MAX);
        self.output.write(&len.to_be_bytes())?;
        self.output.write(&original.to_be_bytes())?;
        self.output.write(&milliseconds.to_be_bytes())?;
        self.output.write(&entry.data)
    }

    /// Hands on what the output has buffered.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.output.flush()
    }

    /// The output back.
    pub fn into_inner(self) -> W {
        self.output.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recording of one packet of RTP and one of RTCP, laid out by hand after the description above.
    const RECORDING: &[u8] = b"#!rtpplay1.0 192.0.2.1/5004\n\
        \x5F\x5E\x10\x00\x00\x07\xA1\x20\xC0\x00\x02\x01\x13\x8C\x00\x00\
        \x00\x16\x00\x0E\x00\x00\x00\x05\
        \x80\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\xAA\xBB\
        \x00\x10\x00\x00\x00\x00\x01\x00\
        \x80\xC9\x00\x01\x00\x00\x00\x03";

    #[test]
    fn a_recording_is_read_and_written_again() {
        let mut reader = Reader::new(RECORDING).unwrap();
        assert_eq!(reader.source(), "192.0.2.1:5004".parse().unwrap());
        assert_eq!(reader.start(), Duration::from_micros(1_600_000_000_500_000));
        let mut writer = Writer::new(Vec::new(), reader.source(), reader.start()).unwrap();
        let rtp = reader.read_entry().unwrap().unwrap();
        assert_eq!(
            (rtp.is_rtcp, rtp.time, rtp.data.len()),
            (false, Duration::from_millis(5), 14)
        );
        writer.write_entry(&rtp).unwrap();
        let rtcp = reader.read_entry().unwrap().unwrap();
        assert_eq!(
            (rtcp.is_rtcp, rtcp.time),
            (true, Duration::from_millis(256))
        );
        writer
            .write_entry(&Entry::new(rtcp.time, true, rtcp.data))
            .unwrap();
        assert_eq!(reader.read_entry().unwrap(), None);
        assert_eq!(writer.into_inner(), RECORDING);
    }

    #[test]
    fn a_packet_may_be_recorded_in_part() {
        let mut recording = RECORDING[..62].to_vec();
        (recording[45], recording[47]) = (18, 200);
        let mut reader = Reader::new(&recording[..]).unwrap();
        let entry = reader.read_entry().unwrap().unwrap();
        assert_eq!((entry.original_len, entry.data.len()), (200, 10));
    }

    #[test]
    fn broken_recordings_are_refused() {
        assert!(matches!(
            Reader::new(&b"#!rtpplay2.0 "[..]),
            Err(Error::UnknownFormat)
        ));
        let endless = Read::chain(MAGIC, std::io::repeat(b'1'));
        assert!(matches!(Reader::new(endless), Err(Error::UnknownFormat)));
        let mut short = RECORDING.to_vec();
        short[45] = 7;
        let mut reader = Reader::new(&short[..]).unwrap();
        assert!(matches!(reader.read_entry(), Err(Error::Malformed { .. })));
    }
}
