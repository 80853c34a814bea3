//! INIT and INIT ACK: what the peer offers, and what we do.

use super::local::Local;
use super::tcb::Peer;
use crate::cookie::Cookie;
use crate::extension::Extensions;
use crate::packet::{
    CauseCode, Chunks, DecodeError, ForwardTsn, IData, IForwardTsn, Init, InitAck, Pad, Parameter,
    ParameterType, ReConfig, WireChunk, encode, padded, write_parameter,
};
use bytes::Bytes;

/// The streams we ask for, both ways (RFC 8831 §6.2).
const STREAMS: u16 = 65_535;

/// SCTP over DTLS, as an Error Detection Method Identifier (RFC 9653 §8).
const OVER_DTLS: u32 = 1;

/// The smallest window that may be announced (RFC 9260 §3.3.2).
pub(super) const MIN_A_RWND: u32 = 1500;

/// What an INIT or INIT ACK says, read.
pub(super) struct Offer<'a> {
    pub(super) peer: Peer,
    pub(super) cookie: Option<&'a [u8]>,
    /// Parameters to be reported, one after another as they came.
    pub(super) unrecognized: Vec<&'a [u8]>,
}

/// Why an INIT or INIT ACK is not accepted.
pub(super) enum Refusal {
    /// Not worth an answer.
    Silent,
    /// With an ABORT that has this cause.
    Abort(u16),
}

impl From<DecodeError> for Refusal {
    fn from(_: DecodeError) -> Self {
        Self::Abort(CauseCode::PROTOCOL_VIOLATION)
    }
}

impl<'a> Offer<'a> {
    /// Checks and reads an INIT or INIT ACK (RFC 9260 §3.3.2, §3.3.3).
    pub(super) fn read(init: &Init<'a>) -> Result<Self, Refusal> {
        if init.initiate_tag == 0 {
            return Err(Refusal::Silent);
        }
        if init.a_rwnd < MIN_A_RWND || init.outbound_streams == 0 || init.inbound_streams == 0 {
            return Err(Refusal::Abort(CauseCode::INVALID_MANDATORY_PARAMETER));
        }
        let mut offer = Self {
            peer: Peer {
                tag: init.initiate_tag,
                initial_tsn: init.initial_tsn,
                a_rwnd: init.a_rwnd,
                // The lesser of both wishes (RFC 9260 §5.1.1): nobody can wish for more than we do.
                outgoing: init.inbound_streams,
                incoming: init.outbound_streams,
                extensions: Extensions::default(),
            },
            cookie: None,
            unrecognized: Vec::new(),
        };
        for parameter in init.parameters() {
            if !offer.read_parameter(parameter?)? {
                break;
            }
        }
        Ok(offer)
    }

    /// Reads one parameter; whether to go on to the next.
    fn read_parameter(&mut self, parameter: Parameter<'a>) -> Result<bool, Refusal> {
        match parameter.kind {
            ParameterType::FORWARD_TSN_SUPPORTED => self.peer.extensions.forward_tsn = true,
            ParameterType::SUPPORTED_EXTENSIONS => {
                let has = |kind| parameter.value.contains(&kind);
                self.peer.extensions.re_config |= has(ReConfig::KIND);
                self.peer.extensions.pad |= has(Pad::KIND);
                // One without the other would lose messages that were given up.
                self.peer.extensions.interleaving |= has(IData::KIND) && has(IForwardTsn::KIND);
            }
            // RFC 9653 §4: other methods than that of DTLS are not ours.
            ParameterType::ZERO_CHECKSUM_ACCEPTABLE => {
                self.peer.extensions.zero_checksum = parameter.value == OVER_DTLS.to_be_bytes();
            }
            ParameterType::STATE_COOKIE => self.cookie = Some(parameter.value),
            // RFC 9260 §3.3.2.1.4.
            ParameterType::HOST_NAME_ADDRESS => {
                return Err(Refusal::Abort(CauseCode::UNRESOLVABLE_ADDRESS));
            }
            // Over DTLS there is one path and no address (RFC 8261 §6.1). The peer's report of our
            // own parameters needs no answer: what it does not know it will not use.
            ParameterType::IPV4_ADDRESS
            | ParameterType::IPV6_ADDRESS
            | ParameterType::SUPPORTED_ADDRESS_TYPES
            | ParameterType::COOKIE_PRESERVATIVE
            | ParameterType::UNRECOGNIZED_PARAMETER => {}
            _ => {
                let action = parameter.on_unknown();
                if action.report {
                    self.unrecognized.push(parameter.whole);
                }
                return Ok(action.skip);
            }
        }
        Ok(true)
    }

    pub(super) fn cookie(
        &self,
        created: u64,
        tag: u32,
        initial_tsn: u32,
        ties: (u32, u32),
    ) -> Cookie {
        Cookie {
            created,
            local_tag: tag,
            peer_tag: self.peer.tag,
            local_tsn: initial_tsn,
            peer_tsn: self.peer.initial_tsn,
            a_rwnd: self.peer.a_rwnd,
            local_tie_tag: ties.0,
            peer_tie_tag: ties.1,
            outgoing: self.peer.outgoing,
            incoming: self.peer.incoming,
            extensions: self.peer.extensions,
        }
    }
}

impl Local {
    /// The peer as an INIT from its description has it (draft-hancke-tsvwg-snap §5.3): one chunk,
    /// by the rules for any other. It need not be padded, as the lengths of lines say where it ends.
    pub(super) fn described_peer(&self, init: &[u8]) -> Option<Peer> {
        let mut chunks = Chunks::new(init);
        let chunk = chunks.next()?.ok()?;
        if chunk.kind != Init::KIND || chunks.next().is_some() {
            return None;
        }
        let peer = Offer::read(&Init::parse(chunk).ok()?).ok()?.peer;
        // Some stacks copy attributes they do not know into their answer (libdatachannel 1620).
        (peer.tag != self.tag || peer.initial_tsn != self.initial_tsn).then_some(peer)
    }

    /// Our INIT for the description, without the padding that a packet would need (as the sample
    /// of draft-hancke-tsvwg-snap §4.1 is).
    pub(super) fn described_init(&self) -> Bytes {
        self.write_init(|init| {
            let mut chunk = encode(init);
            chunk.truncate(4 + init.value_len());
            chunk.into()
        })
    }

    /// Our INIT.
    pub(super) fn write_init<R>(&self, write: impl FnOnce(&Init<'_>) -> R) -> R {
        let parameters = self.own_parameters();
        write(&Init {
            initiate_tag: self.tag,
            a_rwnd: self.a_rwnd(),
            outbound_streams: STREAMS,
            inbound_streams: STREAMS,
            initial_tsn: self.initial_tsn,
            parameters: &parameters,
        })
    }

    /// RFC 9260 §3.3.3.
    pub(super) fn reply_init_ack(&mut self, cookie: &Cookie, unrecognized: &[&[u8]]) {
        let mut parameters = self.own_parameters();
        let sealed = self.cookie_secret.seal(cookie);
        write_parameter(&mut parameters, ParameterType::STATE_COOKIE, &sealed);
        for parameter in unrecognized {
            // What does not fit is not reported.
            if parameters.len() + parameter.len() + 64 > self.max_packet {
                break;
            }
            let kind = ParameterType::UNRECOGNIZED_PARAMETER;
            write_parameter(&mut parameters, kind, parameter);
        }
        let init_ack = InitAck {
            fields: Init {
                initiate_tag: cookie.local_tag,
                a_rwnd: self.a_rwnd(),
                outbound_streams: STREAMS,
                inbound_streams: STREAMS,
                initial_tsn: cookie.local_tsn,
                parameters: &parameters,
            },
        };
        self.reply_alone(cookie.peer_tag, &init_ack);
    }

    /// RFC 9260 §3.2.2, §3.3.10.8.
    pub(super) fn report_parameters(&mut self, unrecognized: &[&[u8]]) {
        let mut reported = Vec::new();
        for parameter in unrecognized {
            let end = padded(reported.len()) + parameter.len();
            if end > self.longest_report() {
                break;
            }
            reported.resize(padded(reported.len()), 0);
            reported.extend_from_slice(parameter);
        }
        if !reported.is_empty() {
            self.report(CauseCode::UNRECOGNIZED_PARAMETERS, &reported);
        }
    }
}

impl Local {
    /// What we implement, and nothing else (RFC 3758 §3.1, RFC 5061 §4.2.7, RFC 9653 §4).
    fn own_parameters(&self) -> Vec<u8> {
        let mut parameters = Vec::with_capacity(128);
        write_parameter(&mut parameters, ParameterType::FORWARD_TSN_SUPPORTED, &[]);
        let extensions = [
            ReConfig::KIND,
            ForwardTsn::KIND,
            Pad::KIND,
            IData::KIND,
            IForwardTsn::KIND,
        ];
        let count = if self.settings.interleaving { 5 } else { 3 };
        write_parameter(
            &mut parameters,
            ParameterType::SUPPORTED_EXTENSIONS,
            &extensions[..count],
        );
        if self.authenticated {
            let kind = ParameterType::ZERO_CHECKSUM_ACCEPTABLE;
            write_parameter(&mut parameters, kind, &OVER_DTLS.to_be_bytes());
        }
        parameters
    }
}
