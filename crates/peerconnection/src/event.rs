/// An event with its place among all events of its connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<T> {
    /// Counts all events of a connection and its channels, messages included. Two events of
    /// different objects happened in the order of these numbers.
    pub sequence: u64,
    /// What happened.
    pub kind: T,
}

impl<T> Event<T> {
    pub(crate) fn new(sequence: u64, kind: T) -> Self {
        Self { sequence, kind }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Event<U> {
        Event {
            sequence: self.sequence,
            kind: change(self.kind),
        }
    }
}
