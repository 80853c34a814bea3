//! The signalling state machine (RFC 9429 §3.2, webrtc-pc §4.3.1).

use crate::api::description::SdpType;
use crate::api::state::SignalingState;

/// Which side a description is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Local,
    Remote,
}

/// The state after a description of this kind and side; `None` where it is not allowed.
///
/// The implicit rollback of perfect negotiation (an offer of the peer while ours is pending) is
/// not a transition of this table: the caller rolls back first.
pub(crate) fn next(state: SignalingState, side: Side, kind: SdpType) -> Option<SignalingState> {
    use SdpType as K;
    use SignalingState as S;
    Some(match (state, side, kind) {
        (S::Stable | S::HaveLocalOffer, Side::Local, K::Offer) => S::HaveLocalOffer,
        (S::Stable | S::HaveRemoteOffer, Side::Remote, K::Offer) => S::HaveRemoteOffer,
        (S::HaveRemoteOffer | S::HaveLocalPranswer, Side::Local, K::Pranswer) => {
            S::HaveLocalPranswer
        }
        (S::HaveLocalOffer | S::HaveRemotePranswer, Side::Remote, K::Pranswer) => {
            S::HaveRemotePranswer
        }
        (S::HaveRemoteOffer | S::HaveLocalPranswer, Side::Local, K::Answer)
        | (S::HaveLocalOffer | S::HaveRemotePranswer, Side::Remote, K::Answer)
        | (S::HaveLocalOffer, Side::Local, K::Rollback)
        | (S::HaveRemoteOffer, Side::Remote, K::Rollback) => S::Stable,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// pc-001: every transition of RFC 9429 §5.5 and §5.6, and no other.
    #[test]
    fn only_the_listed_transitions_exist() {
        use SignalingState as S;
        let states = [
            S::Stable,
            S::HaveLocalOffer,
            S::HaveRemoteOffer,
            S::HaveLocalPranswer,
            S::HaveRemotePranswer,
            S::Closed,
        ];
        let kinds = [
            SdpType::Offer,
            SdpType::Pranswer,
            SdpType::Answer,
            SdpType::Rollback,
        ];
        let mut allowed = 0;
        for state in states {
            for side in [Side::Local, Side::Remote] {
                for kind in kinds {
                    allowed += usize::from(next(state, side, kind).is_some());
                }
            }
        }
        assert_eq!(allowed, 14);
        assert_eq!(next(S::Stable, Side::Local, SdpType::Answer), None);
        assert_eq!(
            next(S::HaveLocalOffer, Side::Remote, SdpType::Answer),
            Some(S::Stable)
        );
        assert_eq!(
            next(S::HaveLocalPranswer, Side::Local, SdpType::Rollback),
            None
        );
    }
}
