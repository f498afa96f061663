//! What the network does, which limits there are then, and who talks.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use feedrate_io::Limits;
use feedrate_io::socket::TcpOptions;

static TALKING: AtomicUsize = AtomicUsize::new(0);

/// One more connection has exchanged something.
pub(crate) fn talks() {
    TALKING.fetch_add(1, Relaxed);
}

/// How many have.
pub(crate) fn talking() -> usize {
    TALKING.load(Relaxed)
}

/// What the network does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// It is back before any limit is reached.
    pub(crate) returns: bool,
}

impl Plan {
    /// Messages of each client.
    pub(crate) const fn messages(self) -> u32 {
        if self.returns { 60 } else { u32::MAX }
    }

    fn limit(self, seconds: u64) -> Duration {
        Duration::from_secs(if self.returns { 20 } else { seconds })
    }

    /// Only one of them is reached in each kind.
    pub(crate) fn limits(self) -> Limits {
        let (idle, progress) = (self.limit(4), self.limit(3));
        Limits::new().handshake(None).message(idle).rate(0).idle(idle).progress(progress)
    }

    pub(crate) fn pong(self) -> Duration {
        self.limit(2)
    }

    pub(crate) fn tcp(self) -> TcpOptions {
        let second = Duration::from_secs(1);
        TcpOptions::new().keepalive(second, second, 3).user_timeout(self.limit(3)).send_buffer(16 * 1024)
    }
}
