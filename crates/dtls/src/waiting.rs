use std::collections::VecDeque;

/// Datagrams or messages that wait, within a bound.
#[derive(Debug)]
pub(crate) struct Waiting {
    queue: VecDeque<Vec<u8>>,
    bytes: usize,
    max_count: usize,
    max_bytes: usize,
}

impl Waiting {
    pub(crate) fn new(max_count: usize, max_bytes: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            max_count,
            max_bytes,
        }
    }

    /// Keeps a copy; `false` if the bound is reached.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = self.queue.len() < self.max_count && self.bytes + bytes.len() <= self.max_bytes;
        if fits {
            self.bytes += bytes.len();
            self.queue.push_back(bytes.to_vec());
        }
        fits
    }

    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        let bytes = self.queue.pop_front()?;
        self.bytes -= bytes.len();
        Some(bytes)
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn clear(&mut self) {
        self.queue = VecDeque::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_hold() {
        let mut waiting = Waiting::new(2, 5);
        assert!(waiting.push(b"abc"));
        assert!(!waiting.push(b"def"));
        assert!(waiting.push(b"de"));
        assert!(!waiting.push(b""));
        assert_eq!(waiting.pop().as_deref(), Some(&b"abc"[..]));
        assert!(waiting.push(b"fgh"));
        assert_eq!(waiting.len(), 2);
    }
}
