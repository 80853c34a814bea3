use crate::codec::nal;
use crate::output::Output;
use crate::{Codec, Error};
use rtp::Sample;
use std::io::Write;

/// Writes a stream access unit by access unit. Times are lost, as the form has none.
#[derive(Debug)]
pub struct Writer<W> {
    output: Output<W>,
}

impl<W: Write> Writer<W> {
    /// A stream of H.264 or H.265.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] for any other codec.
    pub fn new(inner: W, codec: Codec) -> Result<Self, Error> {
        super::Boundary::new(codec)?;
        Ok(Self {
            output: Output::streaming(inner),
        })
    }

    /// The output back.
    pub fn into_inner(self) -> W {
        self.output.into_inner()
    }
}

impl<W: Write> crate::Writer for Writer<W> {
    /// Writes an access unit as it is, behind the zero byte that its start code must have (Annex B
    /// §B.1.2).
    fn write_sample(&mut self, sample: &Sample) -> Result<(), Error> {
        let zeros = nal::start_code(&sample.data).ok_or(Error::Sample("it has no start code"))?;
        if sample.data[..zeros].iter().any(|&byte| byte != 0) {
            return Err(Error::Sample("it does not begin with a start code"));
        }
        if zeros == 0 {
            self.output.write(&[0])?;
        }
        self.output.write(&sample.data)
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.output.flush()
    }
}
