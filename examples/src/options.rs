//! Values on the command lines.

use std::time::Duration;

/// A time in seconds, with or without a fraction.
///
/// # Errors
///
/// If it is not a number, or zero.
pub fn seconds(name: &str, text: &str) -> Result<Duration, String> {
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| format!("{name} {text}: expected a number of seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_seconds() {
        assert_eq!(seconds("--limit", "0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("--limit", "30"), Ok(Duration::from_secs(30)));
        for wrong in ["", "0", "-1", "soon", "inf", "NaN", "1e300"] {
            let error = format!("--limit {wrong}: expected a number of seconds");
            assert_eq!(seconds("--limit", wrong), Err(error));
        }
    }
}
