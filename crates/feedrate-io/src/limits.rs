//! How long a peer may take, and how much may wait for it: [`Limits`].

use core::fmt;
use core::time::Duration;

/// What a peer may cost. Each limit has a default that a public server survives, and is named in the error that it
/// causes. `None` switches a limit of time off.
///
/// ```
/// use core::time::Duration;
/// use feedrate_io::Limits;
///
/// let limits = Limits::new().idle(Duration::from_secs(300)).handshake(None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) handshake: Option<Duration>,
    pub(crate) message: Option<Duration>,
    pub(crate) rate: u32,
    pub(crate) idle: Option<Duration>,
    pub(crate) progress: Option<Duration>,
    pub(crate) queued: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

impl Limits {
    /// A handshake within 10 s; a message within 30 s and a second for each KiB of it; progress of writing within
    /// 30 s; 1 MiB queued; any time idle.
    ///
    /// There is no limit for an idle connection, because a healthy one of PostgreSQL can be silent for days (`LISTEN`,
    /// replication, a slow query). Whether the peer is still there is what TCP's keepalive and `TCP_USER_TIMEOUT` find
    /// out.
    pub const fn new() -> Self {
        Self {
            handshake: Some(Duration::from_secs(10)),
            message: Some(Duration::from_secs(30)),
            rate: 1024,
            idle: None,
            progress: Some(Duration::from_secs(30)),
            queued: 1 << 20,
        }
    }

    /// From the connection's beginning until the program says that it is established, however the bytes arrive.
    #[must_use]
    pub fn handshake(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.handshake = limit.into();
        self
    }

    /// From a message's first byte to its last. See [`rate`](Self::rate) for long ones.
    #[must_use]
    pub fn message(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.message = limit.into();
        self
    }

    /// The least rate, in bytes a second, at which a message may arrive: each byte of it that has arrived adds to the
    /// time that it may take, so that a long one on a slow line does not have to be fast. 0: nothing is added.
    #[must_use]
    pub const fn rate(mut self, bytes: u32) -> Self {
        self.rate = bytes;
        self
    }

    /// Between two messages, for an established connection.
    #[must_use]
    pub fn idle(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.idle = limit.into();
        self
    }

    /// Until the peer takes more of what waits to be written.
    #[must_use]
    pub fn progress(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.progress = limit.into();
        self
    }

    /// The most bytes that wait to be written. A message that is longer can never be sent.
    #[must_use]
    pub const fn queued(mut self, bytes: usize) -> Self {
        self.queued = bytes;
        self
    }
}

/// Which limit of time a peer has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Late {
    /// [`Limits::handshake`].
    Handshake(Duration),
    /// [`Limits::message`].
    Message(Duration),
    /// [`Limits::idle`].
    Idle(Duration),
    /// [`Limits::progress`].
    Progress(Duration),
    /// WebSocket: nothing came in answer to a ping.
    Pong(Duration),
    /// WebSocket: the closing handshake was not answered.
    Closing(Duration),
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(limit) => {
                write!(f, "the handshake took longer than {limit:?} (limit `handshake`)")
            }
            Self::Message(limit) => {
                write!(
                    f,
                    "a message took longer than {limit:?} and its bytes allow (limits `message`, `rate`)"
                )
            }
            Self::Idle(limit) => write!(f, "no message came for {limit:?} (limit `idle`)"),
            Self::Progress(limit) => {
                write!(f, "the peer took nothing of what waits for it for {limit:?} (limit `progress`)")
            }
            Self::Pong(limit) => write!(f, "nothing came for {limit:?} after a ping (limit `pong`)"),
            Self::Closing(limit) => {
                write!(f, "the close frame was not answered within {limit:?} (limit `closing`)")
            }
        }
    }
}

impl core::error::Error for Late {}
