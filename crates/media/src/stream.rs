use crate::{Codec, Error};
use rtp::Sample;

/// Gives the samples of one stream, in the order in which they are decoded.
pub trait Reader {
    /// The codec of all samples.
    fn codec(&self) -> Codec;

    /// The codec as a media type: `video/VP8`.
    fn mime_type(&self) -> &'static str {
        self.codec().mime_type()
    }

    /// The rate of the RTP clock that fits the stream, in Hz.
    fn clock_rate(&self) -> u32 {
        self.codec().clock_rate()
    }

    /// The channels of audio; 0 for video.
    fn channels(&self) -> u8 {
        u8::from(!self.codec().is_video())
    }

    /// The next sample, or `None` at the end. A sample of a file has a duration and no timestamp.
    ///
    /// # Errors
    ///
    /// An [`Error`] if the file cannot be read on; [`Error::Truncated`] if it ends in the middle of a
    /// sample.
    fn read_sample(&mut self) -> Result<Option<Sample>, Error>;
}

/// Takes the samples of one stream.
///
/// A sample lies on the time axis of the file where its RTP timestamp says, if it has one; otherwise
/// where the one before it ends.
///
/// Writers write in small pieces, as soon as they can: around a file, put a [`std::io::BufWriter`].
pub trait Writer {
    /// Writes a sample.
    ///
    /// # Errors
    ///
    /// [`Error::Sample`] if it is not of the file's codec, [`Error::Io`] if the output refuses.
    fn write_sample(&mut self, sample: &Sample) -> Result<(), Error>;

    /// Writes what is held back, completes the header if the output can seek, and flushes. To be
    /// called once, after the last sample; a file that did not come to this can be played up to about
    /// its last second.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the output refuses.
    fn finish(&mut self) -> Result<(), Error>;
}

impl<T: Reader + ?Sized> Reader for Box<T> {
    fn codec(&self) -> Codec {
        (**self).codec()
    }

    fn clock_rate(&self) -> u32 {
        (**self).clock_rate()
    }

    fn channels(&self) -> u8 {
        (**self).channels()
    }

    fn read_sample(&mut self) -> Result<Option<Sample>, Error> {
        (**self).read_sample()
    }
}

impl<T: Writer + ?Sized> Writer for Box<T> {
    fn write_sample(&mut self, sample: &Sample) -> Result<(), Error> {
        (**self).write_sample(sample)
    }

    fn finish(&mut self) -> Result<(), Error> {
        (**self).finish()
    }
}
