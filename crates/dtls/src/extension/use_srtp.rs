//! `use_srtp` (RFC 5764 §4.1.1).
//!
//! ```text
//! uint8 SRTPProtectionProfile[2];
//! struct {
//!    SRTPProtectionProfiles SRTPProtectionProfiles<2..2^16-1>;
//!    opaque srtp_mki<0..255>;
//! } UseSRTPData;
//! ```

use crate::codec::{DecodeError, Reader, Write};
use layer::SrtpProfile;

/// The profile of that number (RFC 5764 §4.1.2, RFC 7714 §14.2).
pub(crate) fn profile(number: u16) -> Option<SrtpProfile> {
    [
        SrtpProfile::Aes128CmSha1_80,
        SrtpProfile::Aes128CmSha1_32,
        SrtpProfile::AeadAes128Gcm,
        SrtpProfile::AeadAes256Gcm,
    ]
    .into_iter()
    .find(|profile| *profile as u16 == number)
}

/// The profiles. An MKI is read over: RFC 8827 §6.5 has none, and who offers one learns from the
/// answer that there is none.
pub(crate) fn parse(body: &[u8]) -> Result<Vec<u16>, DecodeError> {
    let mut reader = Reader::new(body);
    let profiles = reader.vec16()?.all_u16()?;
    reader.vec8()?;
    reader.end()?;
    Ok(profiles)
}

/// A server answers with one profile, and with the MKI of the client, which is empty.
pub(crate) fn parse_answer(body: &[u8]) -> Result<u16, DecodeError> {
    let mut reader = Reader::new(body);
    let profiles = reader.vec16()?.all_u16()?;
    reader.vec8()?.end()?;
    reader.end()?;
    match profiles[..] {
        [profile] => Ok(profile),
        _ => Err(DecodeError),
    }
}

pub(crate) fn write(out: &mut Vec<u8>, profiles: &[u16]) {
    out.vec16(|out| profiles.iter().for_each(|profile| out.u16(*profile)));
    out.vec8(|_| ());
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-009, dtls-048, dtls-049
    #[test]
    fn what_chromium_offers_round_trips() {
        let body = [0, 8, 0, 1, 0, 2, 0, 7, 0, 8, 0];
        let profiles = parse(&body).unwrap();
        assert_eq!(profiles, [1, 2, 7, 8]);
        let known = profiles.iter().filter_map(|number| profile(*number));
        assert_eq!(known.count(), 4);
        let mut out = Vec::new();
        write(&mut out, &profiles);
        assert_eq!(out, body);
        assert!(parse_answer(&body).is_err(), "one, not four");
        assert_eq!(parse_answer(&[0, 2, 0, 7, 0]), Ok(7));
        assert!(parse_answer(&[0, 2, 0, 7, 1, 9]).is_err(), "an MKI");
    }
}
