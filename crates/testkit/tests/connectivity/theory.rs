//! What must come out, from what NATs, firewalls and servers do (RFC 4787 §4.1 and §5, RFC 5128
//! §3.3, RFC 8656 §9) and from how pairs are ranked (RFC 8445 §6.1.2.3): no agent is asked.

use crate::site::{Behind, Known, Seen};
use layer::CandidateType::{self, Host, PeerReflexive, Relayed, ServerReflexive};

/// One end: where it is and which server it knows.
#[derive(Clone, Copy)]
struct End {
    behind: Behind,
    known: Known,
}

impl End {
    /// Whether datagrams leave its network at all.
    fn has_udp(self) -> bool {
        !matches!(self.behind, Behind::UdpBlocked | Behind::OnlyTcp443)
    }

    /// Whether a server that it reaches by UDP has told it how it is seen from outside. Over DTLS the
    /// socket is another one.
    fn has_reflexive(self) -> bool {
        self.has_udp() && matches!(self.known, Known::Stun | Known::TurnUdp)
    }

    /// Whether it reaches a relay.
    fn has_relay(self) -> bool {
        match self.known {
            Known::Nothing | Known::Stun => false,
            Known::TurnUdp | Known::TurnDtls => self.has_udp(),
            Known::TurnTcp => self.behind != Behind::OnlyTcp443,
            Known::TurnTls => true,
        }
    }

    /// Whether its peer is told the IP address that its datagrams bear outside.
    fn shows_address(self) -> bool {
        self.behind == Behind::Open || self.has_reflexive()
    }

    /// Whether its peer is told the address and port as well. A symmetric NAT gives each destination
    /// another port than it gave the server.
    fn shows_endpoint(self) -> bool {
        self.shows_address() && self.behind != Behind::Symmetric
    }

    /// Whether the first datagram of `peer` gets in.
    fn hears_first(self, peer: End) -> bool {
        let admitted = match self.behind {
            Behind::Open | Behind::FullCone => true,
            // Filters open by sending: to the peer's address, or to its address and port.
            Behind::Restricted => peer.shows_address(),
            Behind::PortRestricted => peer.shows_endpoint(),
            Behind::Symmetric | Behind::UdpBlocked | Behind::OnlyTcp443 => false,
        };
        self.shows_endpoint() && admitted
    }

    /// As what its own socket is seen.
    fn socket_type(self) -> CandidateType {
        match self.behind {
            Behind::Open => Host,
            _ if self.has_reflexive() && self.shows_endpoint() => ServerReflexive,
            // An address that nobody was told, seen when it comes.
            _ => PeerReflexive,
        }
    }
}

/// As what each end is seen on the pair that two ends select, the first one controlling; `None` where
/// there is no way.
pub(crate) fn expected(a: Behind, b: Behind, known: Known) -> Option<Seen> {
    let [a, b] = [a, b].map(|behind| End { behind, known });
    // From socket to socket: once one datagram has got in, its answer does too. Best, because no
    // other way is ranked above one with a relay.
    let direct = a.has_udp() && b.has_udp() && (a.hears_first(b) || b.hears_first(a));
    // From the socket of one end to the relay of the other, which lets in whom it has permitted: the
    // addresses that it was told (RFC 8656 §9).
    let to_relay = |from: End, to: End| to.has_relay() && from.has_udp() && from.shows_address();
    if direct {
        Some((a.socket_type(), b.socket_type()))
    } else if to_relay(a, b) {
        // Ranked above its mirror image, where both are there: of two pairs with a relay the one
        // with the better other end wins, a host candidate of the controlling agent.
        Some((a.socket_type(), Relayed))
    } else if to_relay(b, a) {
        Some((Relayed, b.socket_type()))
    } else if a.has_relay() && b.has_relay() {
        Some((Relayed, Relayed))
    } else {
        None
    }
}
