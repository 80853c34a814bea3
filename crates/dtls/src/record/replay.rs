/// Which records of an epoch have come (RFC 6347 §4.1.2.6, RFC 9147 §4.5.1).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    /// One more than the largest number that was opened.
    next: u64,
    /// Bit `n`: the number `next - 1 - n` was opened.
    seen: u128,
}

/// How far a record may be behind the newest: twice what RFC 6347 asks for by default, for paths
/// that reorder runs of datagrams.
const WIDTH: u64 = 128;

impl Window {
    /// One more than the largest number that was opened.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Whether the number is new. Asked before a record is opened.
    pub(crate) fn is_new(&self, sequence: u64) -> bool {
        if sequence >= self.next {
            return true;
        }
        let behind = self.next - 1 - sequence;
        behind < WIDTH && self.seen >> behind & 1 == 0
    }

    /// Notes a number. Only of a record that has been authentic.
    pub(crate) fn note(&mut self, sequence: u64) {
        if sequence >= self.next {
            let ahead = sequence + 1 - self.next;
            self.seen = if ahead < WIDTH { self.seen << ahead } else { 0 };
            self.next = sequence + 1;
        }
        let behind = self.next - 1 - sequence;
        if behind < WIDTH {
            self.seen |= 1 << behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // dtls-017
    #[test]
    fn every_number_is_new_once_and_within_the_window() {
        let mut window = Window::default();
        for sequence in [0, 5, 3, 4, 1, 200, 199, 73] {
            assert!(window.is_new(sequence), "{sequence}");
            window.note(sequence);
            assert!(!window.is_new(sequence), "{sequence}");
        }
        assert!(window.is_new(74));
        assert!(!window.is_new(72), "out of the window");
        assert!(!window.is_new(2), "out of the window");
        window.note(u64::MAX >> 16);
        assert!(!window.is_new(200));
        assert_eq!(window.next(), 1 << 48);
    }
}
