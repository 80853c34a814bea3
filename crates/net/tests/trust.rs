//! Whom a client of TLS trusts, asked for a handshake that is made elsewhere (DTLS).
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use muonrtc_net::Connector;
use std::io;

#[test]
fn who_says_nothing_of_trust_trusts_nobody() {
    let refused = Connector::default().verify_server(&[b"any"], "turn.example.org");
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
    assert_eq!(refused.to_string(), "nothing says which servers to trust");
}

#[cfg(feature = "tls")]
mod chains {
    use super::*;
    use muonrtc_net::TlsClient;
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
    };

    const NAME: &str = "turn.example.org";

    fn authority(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// A root, one between, and a leaf: in DER.
    fn chain(change: impl FnOnce(&mut CertificateParams)) -> [Vec<u8>; 3] {
        let key = || KeyPair::generate().unwrap();
        let root = CertifiedIssuer::self_signed(authority("root"), key()).unwrap();
        let between = CertifiedIssuer::signed_by(authority("between"), key(), &root).unwrap();
        let names = [NAME.to_owned(), "192.0.2.1".to_owned()];
        let mut leaf = CertificateParams::new(names).unwrap();
        change(&mut leaf);
        let leaf = leaf.signed_by(&key(), &between).unwrap();
        [root.der(), between.der(), leaf.der()].map(|der| der.to_vec())
    }

    fn trusting(root: &[u8]) -> Connector {
        let mut connector = Connector::default();
        connector.tls = Some(TlsClient::trusting([root]).unwrap());
        connector
    }

    fn refusal(connector: &Connector, chain: &[&[u8]], name: &str) -> String {
        let refused = connector.verify_server(chain, name).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        refused.to_string()
    }

    #[test]
    fn a_chain_to_a_root_is_trusted_by_name_and_by_address() {
        let [root, between, leaf] = chain(|_| ());
        let connector = trusting(&root);
        for name in [NAME, "192.0.2.1"] {
            let fingerprint = connector.verify_server(&[&leaf, &between], name).unwrap();
            let expected = ring::digest::digest(&ring::digest::SHA256, &leaf);
            assert_eq!(fingerprint, expected.as_ref());
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let [root, between, leaf] = chain(|_| ());
        let connector = trusting(&root);
        let shown: &[&[u8]] = &[&leaf, &between];
        assert_eq!(
            refusal(&connector, shown, "other.example.org"),
            "the certificate is not for other.example.org"
        );
        let unknown = "the certificate is of an unknown issuer";
        assert_eq!(
            refusal(&connector, &[&leaf], NAME),
            unknown,
            "a link is missing"
        );
        let wrong_key = "the certificate is not valid: BadSignature";
        let [_, stranger, _] = chain(|_| ());
        assert_eq!(refusal(&trusting(&stranger), &[&leaf], NAME), wrong_key);
        assert_eq!(
            refusal(&connector, &[], NAME),
            "the server shows no certificate"
        );
        let no_certificate = refusal(&connector, &[b"\x30\x03\x02\x01\x05"], NAME);
        assert!(no_certificate.starts_with("the certificate is not valid: "));
        let no_name = connector.verify_server(shown, "no name").unwrap_err();
        assert_eq!(no_name.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_certificate_has_its_time() {
        let [root, between, leaf] = chain(|it| it.not_after = date_time_ymd(2001, 1, 1));
        assert_eq!(
            refusal(&trusting(&root), &[&leaf, &between], NAME),
            "the certificate has expired"
        );
        let [root, between, leaf] = chain(|it| it.not_before = date_time_ymd(3001, 1, 1));
        assert_eq!(
            refusal(&trusting(&root), &[&leaf, &between], NAME),
            "the certificate is not valid yet"
        );
    }

    #[test]
    fn a_configuration_alone_says_nothing_of_dtls_and_with_a_verifier_it_does() {
        use std::sync::Arc;
        use tokio_rustls::rustls::client::WebPkiServerVerifier;
        use tokio_rustls::rustls::pki_types::CertificateDer;
        use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
        let [root, between, leaf] = chain(|_| ());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root)).unwrap();
        let provider = Arc::new(crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .unwrap();
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_webpki_verifier(Arc::clone(&verifier))
            .with_no_client_auth();
        let client = TlsClient::new(Arc::new(config));
        let mut connector = Connector::default();
        connector.tls = Some(client.clone());
        let shown: &[&[u8]] = &[&leaf, &between];
        let refused = connector.verify_server(shown, NAME).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
        connector.tls = Some(client.with_verifier(verifier));
        connector.verify_server(shown, NAME).unwrap();
    }
}
