//! Any bytes as an RTP packet: what is read is written again and reads the same, and so do the
//! header extensions that can be read.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rtp::extension::{
    AbsoluteCaptureTime, AbsoluteSendTime, AudioLevel, ColorSpace, CsrcAudioLevel, Extension, Mid,
    NtpTime, PlayoutDelay, RepairedRtpStreamId, RtpStreamId, TransmissionOffset,
    TransportSequenceNumber, TransportSequenceNumber2, VideoContentType, VideoLayersAllocation,
    VideoOrientation, VideoTiming,
};
use rtp::{Header, Packet};

macro_rules! again {
    ($value:ident: $($extension:ty),*) => {$(
        if let Ok(extension) = <$extension>::parse($value) {
            let written = extension.write().expect("what was read can be written");
            assert_eq!(<$extension>::parse(&written), Ok(extension));
        }
    )*};
}

fuzz_target!(|bytes: &[u8]| {
    let _ = rtp::is_rtcp(bytes);
    let Ok(packet) = Packet::parse(&Bytes::copy_from_slice(bytes)) else {
        return;
    };
    assert!(packet.payload.len() <= bytes.len());
    let mut out = vec![0xFF; packet.encoded_len()];
    assert_eq!(packet.write(&mut out), Ok(out.len()));
    assert_eq!(Packet::parse(&out.into()).as_ref(), Ok(&packet));
    extensions(&packet.header);
});

fn extensions(header: &Header) {
    for (_, value) in header.extensions.iter() {
        again!(value: Mid<'_>, RtpStreamId<'_>, RepairedRtpStreamId<'_>);
        again!(value: AudioLevel, CsrcAudioLevel);
        again!(value: AbsoluteSendTime, AbsoluteCaptureTime, NtpTime, TransmissionOffset);
        again!(value: TransportSequenceNumber, TransportSequenceNumber2, PlayoutDelay);
        again!(value: VideoOrientation, VideoContentType, VideoTiming, ColorSpace);
        again!(value: VideoLayersAllocation);
    }
}
