use std::ops::Range;

/// Cuts `len` bytes into as few parts of at most `room` bytes as there can be, of about the same
/// size: a small last packet is as easily lost as a large one. `room` is at least 1.
pub(super) fn cuts(len: usize, room: usize) -> impl Iterator<Item = Range<usize>> {
    let count = len.div_ceil(room);
    let (size, longer) = match count {
        0 => (0, 0),
        _ => (len / count, len % count),
    };
    (0..count).map(move |index| {
        let start = index * size + index.min(longer);
        start..start + size + usize::from(index < longer)
    })
}

#[cfg(test)]
mod tests {
    use super::cuts;

    #[test]
    fn parts_are_in_order_whole_and_differ_by_one_byte_at_most() {
        for len in 0..200 {
            for room in 1..40 {
                let parts: Vec<_> = cuts(len, room).collect();
                assert_eq!(parts.len(), len.div_ceil(room));
                assert_eq!(parts.iter().map(ExactSizeIterator::len).sum::<usize>(), len);
                assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
                let sizes = || parts.iter().map(ExactSizeIterator::len);
                assert!(sizes().all(|size| size <= room && size > 0));
                assert!(sizes().max().unwrap_or(0) - sizes().min().unwrap_or(0) <= 1);
            }
        }
    }
}
