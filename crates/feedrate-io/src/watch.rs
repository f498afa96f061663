//! The deadlines of one connection: [`Watch`].

use core::time::Duration;

use feedrate::Instant;

use crate::limits::{Late, Limits};

/// What a connection waits for, and since when. It is told what happens, and says when it is over: the clock is the
/// caller's.
///
/// A deadline that has passed counts only where nothing has arrived meanwhile. So [`check`](Self::check) is called when
/// there is nothing to be read, and not before: a program that was busy itself blames nobody.
///
/// ```
/// use core::time::Duration;
/// use feedrate::Instant;
/// use feedrate_io::{Late, Limits, Watch};
///
/// let second = Instant::from_millis(1_000);
/// let mut watch = Watch::new(Limits::new(), Instant::ZERO);
/// assert_eq!(watch.deadline(), Some(Instant::from_millis(10_000)));
/// watch.established(second);
/// // Between two messages there is no limit by default, and within one there is.
/// assert_eq!(watch.deadline(), None);
/// watch.reading(false, 3, second);
/// assert_eq!(watch.deadline(), Some(Instant::from_millis(31_002) + Duration::from_micros(929)));
/// assert_eq!(watch.check(Instant::from_millis(40_000)), Err(Late::Message(Duration::from_secs(30))));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    limits: Limits,
    /// Since when the handshake has lasted, if it has not ended.
    handshake: Option<Instant>,
    /// The last message ended, or what was of interest before it.
    idle: Instant,
    /// Since when the message that is arriving has arrived, and how many of its bytes have.
    message: Option<(Instant, usize)>,
    /// Since when something has waited to be written, and nothing was taken.
    writing: Option<Instant>,
}

impl Watch {
    /// A connection that begins now, with its handshake.
    pub const fn new(limits: Limits, now: Instant) -> Self {
        Self { limits, handshake: Some(now), idle: now, message: None, writing: None }
    }

    /// The limits.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The handshake has ended.
    pub const fn established(&mut self, now: Instant) {
        self.handshake = None;
        self.idle = now;
    }

    /// Whether the handshake has ended.
    pub const fn is_established(&self) -> bool {
        self.handshake.is_none()
    }

    /// What there is to read has been read. `ended`: messages have ended since the last time. `held`: so many bytes
    /// are there of the next one, none if it has not begun.
    pub fn reading(&mut self, ended: bool, held: usize, now: Instant) {
        if ended {
            self.idle = now;
            self.message = None;
        }
        self.message = (held > 0).then(|| (self.message.map_or(now, |(since, _)| since), held));
    }

    /// Something waits to be written, or nothing does any more.
    pub fn writing(&mut self, waits: bool, now: Instant) {
        self.writing = waits.then(|| self.writing.unwrap_or(now));
    }

    /// The peer has taken some of what waits.
    pub fn written(&mut self, now: Instant) {
        self.writing = self.writing.map(|_| now);
    }

    /// When it is over.
    pub fn deadline(&self) -> Option<Instant> {
        first(self.all()).map(|(deadline, _)| deadline)
    }

    /// When it is over for somebody who only writes: what does not arrive meanwhile does not matter.
    pub fn write_deadline(&self) -> Option<Instant> {
        first(self.of_writing()).map(|(deadline, _)| deadline)
    }

    /// Whether it is over, and why.
    ///
    /// # Errors
    ///
    /// The limit that has been passed.
    pub fn check(&self, now: Instant) -> Result<(), Late> {
        passed(first(self.all()), now)
    }

    /// Whether it is over for somebody who only writes, and why.
    ///
    /// # Errors
    ///
    /// The limit that has been passed.
    pub fn check_write(&self, now: Instant) -> Result<(), Late> {
        passed(first(self.of_writing()), now)
    }

    fn all(&self) -> [Option<Limit>; 4] {
        let Limits { message, rate, idle, .. } = self.limits;
        let arriving = self.message.map(|(since, held)| since.saturating_add(allowance(held, rate)));
        let is_idle = self.handshake.is_none() && self.message.is_none();
        let [handshake, progress] = self.of_writing();
        let idle = limit(is_idle.then_some(self.idle), idle, Late::Idle);
        [handshake, limit(arriving, message, Late::Message), idle, progress]
    }

    fn of_writing(&self) -> [Option<Limit>; 2] {
        let Limits { handshake, progress, .. } = self.limits;
        [limit(self.handshake, handshake, Late::Handshake), limit(self.writing, progress, Late::Progress)]
    }
}

/// A deadline, and what passing it means.
type Limit = (Instant, Late);

fn limit(since: Option<Instant>, limit: Option<Duration>, late: fn(Duration) -> Late) -> Option<Limit> {
    since.zip(limit).map(|(since, limit)| (since.saturating_add(limit), late(limit)))
}

fn first<const N: usize>(limits: [Option<Limit>; N]) -> Option<Limit> {
    limits.into_iter().flatten().min_by_key(|(deadline, _)| *deadline)
}

fn passed(limit: Option<Limit>, now: Instant) -> Result<(), Late> {
    match limit {
        Some((deadline, late)) if deadline <= now => Err(late),
        _ => Ok(()),
    }
}

/// What this many bytes may take longer.
fn allowance(bytes: usize, rate: u32) -> Duration {
    let micros = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000_000);
    Duration::from_micros(micros.checked_div(rate.into()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn watch() -> Watch {
        let limits =
            Limits::new().handshake(SECOND * 5).message(SECOND * 10).idle(SECOND * 20).progress(SECOND * 7);
        Watch::new(limits.rate(100), at(100))
    }

    #[test]
    fn a_handshake_is_limited_as_a_whole() {
        let mut watch = watch();
        for second in 100..105 {
            watch.reading(true, usize::from(second % 2 == 0), at(second));
            assert_eq!(watch.check(at(second)), Ok(()));
        }
        assert_eq!(watch.check(at(105)), Err(Late::Handshake(SECOND * 5)));
        watch.established(at(104));
        assert!(watch.is_established());
        // Now a message is under way, and then none.
        assert_eq!(watch.deadline(), Some(at(114) + Duration::from_millis(10)));
        watch.reading(false, 0, at(105));
        assert_eq!(watch.deadline(), Some(at(124)));
        assert_eq!(watch.check(at(123)), Ok(()));
    }

    #[test]
    fn a_handshake_is_not_idle() {
        let mut watch = Watch::new(Limits::new().handshake(None).idle(SECOND), at(100));
        watch.reading(true, 0, at(100));
        assert_eq!((watch.deadline(), watch.check(at(200))), (None, Ok(())));
    }

    #[test]
    fn a_connection_is_idle_between_two_messages_only() {
        let mut watch = watch();
        watch.established(at(100));
        assert_eq!(watch.deadline(), Some(at(120)));
        // A message's beginning, twice: the second does not count anew.
        watch.reading(false, 10, at(110));
        watch.reading(false, 100, at(115));
        assert_eq!(watch.deadline(), Some(at(121)));
        assert_eq!(watch.check(at(121)), Err(Late::Message(SECOND * 10)));
        watch.reading(true, 0, at(116));
        assert_eq!(watch.deadline(), Some(at(136)));
        assert_eq!(watch.check(at(136)), Err(Late::Idle(SECOND * 20)));
    }

    #[test]
    fn what_follows_a_message_is_another_one() {
        let mut watch = watch();
        watch.established(at(100));
        watch.reading(false, 100, at(100));
        // Its last byte came together with 300 of the next.
        watch.reading(true, 300, at(109));
        assert_eq!(watch.deadline(), Some(at(122)));
    }

    #[test]
    fn a_long_message_may_take_as_long_as_the_least_rate_allows() {
        let mut watch = watch();
        watch.established(at(100));
        // 200 bytes a second, for ever.
        for second in 0..1000 {
            watch.reading(false, usize::try_from(second).unwrap() * 200 + 1, at(100 + second));
            assert_eq!(watch.check(at(100 + second)), Ok(()));
        }
        let mut slow = Watch::new(*watch.limits(), at(100));
        slow.established(at(100));
        // And 50 bytes a second.
        let late = (0..).find(|second| {
            slow.reading(false, usize::try_from(*second).unwrap() * 50 + 1, at(100 + second));
            slow.check(at(100 + second)).is_err()
        });
        assert_eq!(late, Some(21));
        let mut watch = Watch::new(Limits::new().message(SECOND).rate(0), at(0));
        watch.reading(false, 1_000_000, at(0));
        assert_eq!(watch.deadline(), Some(at(1)));
    }

    #[test]
    fn writing_makes_progress_or_is_over() {
        let mut watch = watch();
        watch.established(at(100));
        watch.writing(true, at(101));
        watch.writing(true, at(103));
        assert_eq!((watch.deadline(), watch.write_deadline()), (Some(at(108)), Some(at(108))));
        watch.written(at(107));
        watch.writing(true, at(107));
        assert_eq!(watch.deadline(), Some(at(114)));
        assert_eq!(watch.check(at(114)), Err(Late::Progress(SECOND * 7)));
        watch.writing(false, at(108));
        assert_eq!(watch.write_deadline(), None);
        // Nothing waits, so nothing is written.
        watch.written(at(109));
        assert_eq!(watch.write_deadline(), None);
    }

    #[test]
    fn a_limit_that_is_off_never_passes() {
        let limits = Limits::new().handshake(None).message(None).idle(None).progress(None);
        let mut watch = Watch::new(limits, Instant::ZERO);
        watch.reading(false, 1, Instant::ZERO);
        watch.writing(true, Instant::ZERO);
        assert_eq!((watch.deadline(), watch.check(Instant::MAX)), (None, Ok(())));
        watch.established(Instant::ZERO);
        watch.reading(true, 0, Instant::ZERO);
        assert_eq!((watch.deadline(), watch.check(Instant::MAX)), (None, Ok(())));
    }
}
