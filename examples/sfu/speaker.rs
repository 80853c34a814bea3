//! Who speaks, found from the audio levels alone.

/// What is quieter than this is a room, not a voice: -50 dBov.
const VOICE: f32 = 50.0;
/// How much louder somebody must be to take over from who speaks, in decibels.
const LEAD: f32 = 6.0;
/// How much of the average each turn replaces: half of it within three quarters of a second.
const SHARE: f32 = 0.2;
/// Silence, in -dBov.
const SILENCE: f32 = 127.0;

/// How loud one member was lately.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loudness(f32);

impl Default for Loudness {
    fn default() -> Self {
        Self(SILENCE)
    }
}

impl Loudness {
    /// Takes in the loudest packet of a turn, in -dBov.
    pub(super) fn hear(&mut self, level: u8) {
        self.0 += SHARE * (f32::from(level) - self.0);
    }
}

/// Who speaks now: the loudest, unless the one who spoke last is nearly as loud.
pub(super) fn choose<'a>(
    last: Option<&str>,
    members: impl Iterator<Item = (&'a str, Loudness)>,
) -> Option<&'a str> {
    let weighed =
        members
            .filter(|(_, Loudness(level))| *level < VOICE)
            .map(|(id, Loudness(level))| {
                (
                    id,
                    if last == Some(id) {
                        level - LEAD
                    } else {
                        level
                    },
                )
            });
    let loudest = weighed.min_by(|(_, one), (_, other)| one.total_cmp(other));
    loudest.map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(turns: usize, level: u8) -> Loudness {
        let mut loudness = Loudness::default();
        (0..turns).for_each(|_| loudness.hear(level));
        loudness
    }

    #[test]
    fn a_voice_takes_over_only_when_it_is_clearly_louder() {
        let speaks =
            |last, a, b| choose(last, [("a", after(20, a)), ("b", after(20, b))].into_iter());
        assert_eq!(speaks(None, 30, 33), Some("a"));
        assert_eq!(speaks(Some("b"), 30, 33), Some("b"));
        assert_eq!(speaks(Some("b"), 20, 33), Some("a"));
        assert_eq!(speaks(Some("a"), 90, 127), None);
    }

    #[test]
    fn a_cough_is_not_speech() {
        assert_eq!(choose(None, [("a", after(1, 10))].into_iter()), None);
    }
}
