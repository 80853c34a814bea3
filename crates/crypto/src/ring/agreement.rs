use super::random;
use crate::{ActiveAgreement, Agreement, Error, Group, SecureRandom};
use ring::agreement::{self, Algorithm, EphemeralPrivateKey, PublicKey, UnparsedPublicKey};

/// A group of ring.
#[derive(Debug)]
pub(super) struct RingAgreement {
    group: Group,
    algorithm: &'static Algorithm,
}

pub(super) static X25519: RingAgreement = RingAgreement {
    group: Group::X25519,
    algorithm: &agreement::X25519,
};
pub(super) static SECP256R1: RingAgreement = RingAgreement {
    group: Group::Secp256r1,
    algorithm: &agreement::ECDH_P256,
};
pub(super) static SECP384R1: RingAgreement = RingAgreement {
    group: Group::Secp384r1,
    algorithm: &agreement::ECDH_P384,
};

impl Agreement for RingAgreement {
    fn group(&self) -> Group {
        self.group
    }

    fn start(&self, _random: &dyn SecureRandom) -> Result<Box<dyn ActiveAgreement>, Error> {
        let private = EphemeralPrivateKey::generate(self.algorithm, &random::system())
            .map_err(|_| Error::Random)?;
        let public = private.compute_public_key().map_err(|_| Error::Random)?;
        Ok(Box::new(Active { private, public }))
    }
}

/// ring shows the algorithm of a private key, never its bytes.
#[derive(Debug)]
struct Active {
    private: EphemeralPrivateKey,
    public: PublicKey,
}

impl ActiveAgreement for Active {
    fn public_key(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<Vec<u8>, Error> {
        let peer = UnparsedPublicKey::new(self.private.algorithm(), peer_public_key);
        agreement::agree_ephemeral(self.private, &peer, <[u8]>::to_vec)
            .map_err(|_| Error::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&RingAgreement; 3] = [&X25519, &SECP256R1, &SECP384R1];

    #[test]
    fn both_ends_get_the_same_secret() {
        for agreement in ALL {
            let a = agreement.start(&random::OperatingSystem).unwrap();
            let b = agreement.start(&random::OperatingSystem).unwrap();
            let (a_public, b_public) = (a.public_key().to_vec(), b.public_key().to_vec());
            let secret = a.complete(&b_public).unwrap();
            assert_eq!(secret, b.complete(&a_public).unwrap(), "{agreement:?}");
            let (public_len, secret_len) = match agreement.group() {
                Group::X25519 => (32, 32),
                Group::Secp256r1 => (65, 32),
                Group::Secp384r1 => (97, 48),
            };
            assert_eq!((a_public.len(), secret.len()), (public_len, secret_len));
        }
    }

    #[test]
    fn what_is_not_a_point_is_refused() {
        for agreement in ALL {
            let len = match agreement.group() {
                Group::X25519 => 32,
                Group::Secp256r1 => 65,
                Group::Secp384r1 => 97,
            };
            // All zero: a point of small order on Curve25519 (RFC 7748 §6.1), no point on the others.
            for peer in [vec![0; len], vec![4; len - 1], Vec::new()] {
                let active = agreement.start(&random::OperatingSystem).unwrap();
                assert_eq!(active.complete(&peer), Err(Error::Malformed));
            }
        }
    }
}
