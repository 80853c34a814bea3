//! The agent of this crate against the kit that every implementation of `layer::Ice` has to pass.

use muonrtc_ice::Factory;
use std::sync::Arc;
use testkit::conformance::ice::Subject;

testkit::ice_conformance!(Subject::new(|| Arc::new(Factory::default())));

mod renominating {
    use super::{Arc, Factory, Subject};

    fn renominating() -> Factory {
        let mut factory = Factory::default();
        factory.renomination = true;
        factory
    }

    testkit::ice_conformance!(Subject::between(
        || Arc::new(renominating()),
        || Arc::new(Factory::default()),
    ));
}
