//! Serial ports for tokio: [`Port`].

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::path::Path;

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use feedrate::Instant;
use serial2_tokio::SerialPort;

use crate::timer::Timer;
use crate::tokio::Clock;

/// What may wait in the driver: enough that the line does not stand still, as timers have a resolution of a millisecond
/// or so.
const AHEAD: Duration = Duration::from_millis(2);
/// Bits on the line for each byte: start, 8 of data, stop.
const BITS: u64 = 10;
/// How much is written at a time, in terms of time.
const PIECE: Duration = Duration::from_millis(6);

/// A serial port: raw bytes, 8 data bits, no parity, one stop bit, no flow control.
///
/// * **Nobody else has it.** A second [`open`](Self::open) fails, and so does that of another program that asks for a
///   lock (`flock`), or that is not root's (`TIOCEXCL`). This is so on Unix; Windows has no shared ports.
/// * **Little waits in the driver**, whose queue nothing can overtake: of what is written, it is given no more than the
///   line can send within 8 ms. The rest waits with the writer, who may change its mind about what is next.
///
/// ```no_run
/// # async fn open() -> std::io::Result<()> {
/// use feedrate_io::serial::Port;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let mut port = Port::open("/dev/ttyUSB0", 115_200)?;
/// port.write_all(b"hello").await?;
/// let mut reply = [0; 64];
/// let length = port.read(&mut reply).await?;
/// # Ok(())
/// # }
/// ```
pub struct Port {
    io: SerialPort,
    // Behind it, so that the port is closed before it is unlocked.
    #[cfg(unix)]
    _lock: Lock,
    /// Bytes a second.
    rate: u64,
    timer: Clock,
    /// When the line will have sent what was written.
    sent: Instant,
}

impl Port {
    /// Opens a port at this many baud, for example `/dev/ttyUSB0` or `COM3`.
    ///
    /// # Errors
    ///
    /// Those of the system. [`io::ErrorKind::ResourceBusy`]: somebody else has it.
    pub fn open(path: impl AsRef<Path>, baud: u32) -> io::Result<Self> {
        #[cfg(unix)]
        let lock = Lock::new(path.as_ref())?;
        let rate = (u64::from(baud) / BITS).max(1);
        let io = SerialPort::open(path, baud)?;
        #[cfg(unix)]
        lock.exclude()?;
        let timer = Clock::new();
        Ok(Self {
            io,
            #[cfg(unix)]
            _lock: lock,
            rate,
            sent: timer.now(),
            timer,
        })
    }

    /// How long the line takes for so many bytes.
    fn time(&self, bytes: usize) -> Duration {
        let micros = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000_000);
        Duration::from_micros(micros.checked_div(self.rate).unwrap_or(0))
    }
}

impl AsyncRead for Port {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Port {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let free = Instant::from_micros(self.sent.as_micros().saturating_sub(micros(AHEAD)));
        ready!(self.timer.poll_until(cx, free));
        let piece =
            usize::try_from(self.rate.saturating_mul(micros(PIECE)) / 1_000_000).unwrap_or(usize::MAX);
        let piece = bytes.get(..piece.max(1)).unwrap_or(bytes);
        let n = ready!(Pin::new(&mut self.io).poll_write(cx, piece))?;
        self.sent = self.sent.max(self.timer.now()).saturating_add(self.time(n));
        Poll::Ready(Ok(n))
    }

    /// The driver has what was written; the line may be about to send the rest of it.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// A serial line has no end that could be told. Ready when it has sent what was written.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = self.sent;
        self.timer.poll_until(cx, sent).map(Ok)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Keeps others from opening a port.
#[cfg(unix)]
struct Lock(std::fs::File);

#[cfg(unix)]
impl Lock {
    fn new(path: &Path) -> io::Result<Self> {
        use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

        // It does not wait for a modem's carrier, and does not become this program's terminal.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = std::fs::File::from(open(path, flags, Mode::empty())?);
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
            rustix::io::Errno::WOULDBLOCK => io::ErrorKind::ResourceBusy.into(),
            error => io::Error::from(error),
        })?;
        Ok(Self(file))
    }

    /// Those who do not ask for a lock are kept out too, as soon as this program has opened the port itself.
    fn exclude(&self) -> io::Result<()> {
        Ok(rustix::termios::ioctl_tiocexcl(&self.0)?)
    }
}

#[cfg(unix)]
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = rustix::termios::ioctl_tiocnxcl(&self.0);
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("io", &self.io).field("rate", &self.rate).finish_non_exhaustive()
    }
}
