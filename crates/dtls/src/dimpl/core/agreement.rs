use super::context::{self, Random};
use ::dimpl::crypto::{ActiveKeyExchange, Buf, NamedGroup, SupportedKxGroup};
use ::dimpl::{CryptoError, CryptoOperation};
use crypto::{ActiveAgreement, Group};
use std::panic::AssertUnwindSafe;
use zeroize::Zeroizing;

/// The groups that dimpl knows.
const GROUPS: [&dyn SupportedKxGroup; 3] = [
    &Exchange(Group::X25519),
    &Exchange(Group::Secp256r1),
    &Exchange(Group::Secp384r1),
];
/// Without the one that not every provider has.
const COMMON_GROUPS: [&dyn SupportedKxGroup; 2] =
    [&Exchange(Group::X25519), &Exchange(Group::Secp256r1)];
/// The one that every provider has.
const LEAST_GROUPS: [&dyn SupportedKxGroup; 1] = [&Exchange(Group::Secp256r1)];

/// The most groups that the provider has; dimpl tests every one it is shown.
pub(super) fn groups(provider: &crypto::Provider) -> &'static [&'static dyn SupportedKxGroup] {
    let has = |group| {
        let mut agreements = provider.agreements.iter();
        agreements.any(|agreement| agreement.group() == group)
    };
    match (has(Group::X25519), has(Group::Secp384r1)) {
        (true, true) => &GROUPS,
        (true, false) => &COMMON_GROUPS,
        (false, _) => &LEAST_GROUPS,
    }
}

/// The order in which the provider prefers them.
pub(super) fn preferred(provider: &crypto::Provider) -> Vec<NamedGroup> {
    let groups = provider.agreements.iter();
    groups
        .map(|agreement| NamedGroup::from_u16(agreement.group() as u16))
        .collect()
}

/// Key agreement in one group.
#[derive(Debug)]
struct Exchange(Group);

impl SupportedKxGroup for Exchange {
    fn name(&self) -> NamedGroup {
        NamedGroup::from_u16(self.0 as u16)
    }

    fn start_exchange(&self, mut buf: Buf) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        let agreement = context::provider()
            .agreements
            .iter()
            .find(|agreement| agreement.group() == self.0)
            .ok_or(CryptoError::UnsupportedKeyExchangeGroup(self.name()))?;
        let active = agreement
            .start(&Random)
            .map_err(|_| CryptoError::OperationFailed(CryptoOperation::StartKeyExchange))?;
        buf.clear();
        buf.extend_from_slice(active.public_key());
        Ok(Box::new(Active {
            group: self.name(),
            public_key: buf,
            active: AssertUnwindSafe(active),
        }))
    }
}

#[derive(Debug)]
struct Active {
    group: NamedGroup,
    public_key: Buf,
    active: AssertUnwindSafe<Box<dyn ActiveAgreement>>,
}

impl ActiveKeyExchange for Active {
    fn pub_key(&self) -> &[u8] {
        &self.public_key
    }

    fn complete(self: Box<Self>, peer_pub: &[u8], out: &mut Buf) -> Result<(), CryptoError> {
        let Self { group, active, .. } = *self;
        let secret = active
            .0
            .complete(peer_pub)
            .map(Zeroizing::new)
            .map_err(|_| CryptoError::InvalidPublicKey(group))?;
        out.clear();
        out.extend_from_slice(&secret);
        context::with(|context| context.negotiated.group = Some(group.as_u16()));
        Ok(())
    }

    fn group(&self) -> NamedGroup {
        self.group
    }
}
