//! TCP's own means: [`TcpOptions`].

use core::time::Duration;
use std::io;
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsSocket;

use socket2::{SockRef, TcpKeepalive};

/// What TCP does by itself on a socket, without the protocol's help.
///
/// A connection that only waits, as those of PostgreSQL may do for days, does not notice that its peer's machine is
/// gone. [`Limits`](crate::Limits) have nothing for it by default: TCP's probes find it out, and tell the next read.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use feedrate_io::socket::TcpOptions;
///
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let socket = std::net::TcpStream::connect(listener.local_addr()?)?; // or tokio's
/// TcpOptions::new().apply(&socket)?;
/// assert!(socket.nodelay()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpOptions {
    nodelay: bool,
    keepalive: Option<Keepalive>,
    user_timeout: Option<Duration>,
    send_buffer: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Keepalive {
    idle: Duration,
    interval: Duration,
    retries: u32,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl TcpOptions {
    /// No delay; a probe after 60 s of silence, and then one every 10 s, 6 times; 2 minutes until what was sent has to
    /// be acknowledged. So a peer that is gone is noticed within 2 minutes, whether something is sent to it or not.
    pub const fn new() -> Self {
        let keepalive =
            Keepalive { idle: Duration::from_secs(60), interval: Duration::from_secs(10), retries: 6 };
        let user_timeout = Some(Duration::from_secs(120));
        Self { nodelay: true, keepalive: Some(keepalive), user_timeout, send_buffer: None }
    }

    /// Whether a small write is sent at once (`TCP_NODELAY`). Without it, each of two small ones can wait for the
    /// other's acknowledgement.
    #[must_use]
    pub const fn nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// Probes after this time of silence, then in this interval; after so many without an answer the connection is
    /// over. The system may round to seconds, and may not know all three: each counts where there is such an option.
    #[must_use]
    pub const fn keepalive(mut self, idle: Duration, interval: Duration, retries: u32) -> Self {
        self.keepalive = Some(Keepalive { idle, interval, retries });
        self
    }

    /// Leaves the probes as the system has them, most often off.
    #[must_use]
    pub const fn no_keepalive(mut self) -> Self {
        self.keepalive = None;
        self
    }

    /// How long what was sent may be without acknowledgement (`TCP_USER_TIMEOUT`), and on Linux a probe. `None` leaves
    /// it as the system has it. Only Linux, Android and Fuchsia know it.
    #[must_use]
    pub fn user_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.user_timeout = limit.into();
        self
    }

    /// How many bytes the system may hold that have not been acknowledged, roughly (`SO_SNDBUF`). Nothing that is
    /// written later overtakes them: a protocol with urgent messages, as RDPv3 is, wants few. `None` leaves it as the
    /// system has it: megabytes, where the connection is fast.
    #[must_use]
    pub fn send_buffer(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.send_buffer = bytes.into();
        self
    }

    /// Sets them on a TCP socket, of tokio or of `std`.
    ///
    /// # Errors
    ///
    /// What the system says, for instance that it is not a TCP socket.
    #[cfg(unix)]
    pub fn apply(&self, socket: &impl AsFd) -> io::Result<()> {
        self.set(&SockRef::from(socket))
    }

    /// Sets them on a TCP socket, of tokio or of `std`.
    ///
    /// # Errors
    ///
    /// What the system says, for instance that it is not a TCP socket.
    #[cfg(windows)]
    pub fn apply(&self, socket: &impl AsSocket) -> io::Result<()> {
        self.set(&SockRef::from(socket))
    }

    fn set(&self, socket: &SockRef<'_>) -> io::Result<()> {
        socket.set_tcp_nodelay(self.nodelay)?;
        if let Some(bytes) = self.send_buffer {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Some(Keepalive { idle, interval, retries }) = self.keepalive {
            let keepalive = TcpKeepalive::new().with_time(idle);
            #[cfg(not(any(target_os = "openbsd", target_os = "solaris", target_os = "haiku")))]
            let keepalive = keepalive.with_interval(interval).with_retries(retries);
            #[cfg(any(target_os = "openbsd", target_os = "solaris", target_os = "haiku"))]
            let _ = (interval, retries);
            socket.set_tcp_keepalive(&keepalive)?;
        }
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        if self.user_timeout.is_some() {
            socket.set_tcp_user_timeout(self.user_timeout)?;
        }
        Ok(())
    }
}
