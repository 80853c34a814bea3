/// A `t=` line with the `r=` and `z=` lines that belong to it (RFC 8866 §5.9 to §5.11), as written.
///
/// WebRTC gives times no meaning (RFC 9429 §5.8.1): they are checked for their form and kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// Start and stop, in seconds since 1900: `0 0` for a session without bounds.
    pub active: String,
    /// The repeat times, one for each `r=` line.
    pub repeats: Vec<String>,
    /// The time zone adjustments, the `z=` line.
    pub zones: Option<String>,
}

impl Default for Timing {
    /// A session without bounds, `t=0 0`, as all endpoints of WebRTC write it (RFC 9429 §5.2.1).
    fn default() -> Self {
        Self {
            active: "0 0".into(),
            repeats: Vec::new(),
            zones: None,
        }
    }
}
