use crate::shared::Shared;
use std::sync::Arc;

/// What all handles of a connection share; dropping the last one closes.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.call(|state, now| state.session.close(now));
    }
}
