use chacha20::ChaCha12Rng;
use chacha20::rand_core::Rng;
use std::time::Duration;

/// Draws the time to the next report: evenly from half to one and a half of `average`, divided by
/// e - 3/2 (RFC 3550 §6.3.1). So two ends do not fall into step.
///
/// A connection has two participants and never more: nothing here needs the reconsideration of
/// §6.3.3, and the interval does not depend on the size of a group.
pub(super) fn draw(rng: &mut ChaCha12Rng, average: Duration) -> Duration {
    let factor = 0.5 + f64::from(rng.next_u32()) / f64::from(u32::MAX);
    average.mul_f64(factor / (std::f64::consts::E - 1.5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::rand_core::SeedableRng;

    /// rtcp-013
    #[test]
    fn an_interval_is_half_to_one_and_a_half_of_the_average_before_compensation() {
        let mut rng = ChaCha12Rng::from_seed([3; 32]);
        let drawn: Vec<f64> = (0..1000)
            .map(|_| draw(&mut rng, Duration::from_secs(5)).as_secs_f64())
            .collect();
        assert!(drawn.iter().all(|&t| (2.05..=6.16).contains(&t)));
        assert!(drawn.iter().any(|&t| t < 2.2) && drawn.iter().any(|&t| t > 6.0));
    }
}
