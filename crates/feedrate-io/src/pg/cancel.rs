//! Cancelling what a session is doing: [`Canceller`].

use alloc::vec::Vec;
use core::fmt;

use feedrate_pg::conninfo::Transport;

use super::error::CancelError;
use super::reach::{Reach, Unreached};
use crate::limits::Limits;

/// Bytes of the longest message on a connection for a CancelRequest: there is none but an error's.
const LONGEST: usize = 30_000;

/// Cancels what a session is doing, from outside of it: another task may do that.
///
/// ```no_run
/// # use feedrate_io::pg::Session;
/// # async fn example(pg: &Session) -> Result<(), Box<dyn std::error::Error>> {
/// if let Some(canceller) = pg.canceller() {
///     canceller.cancel().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Canceller {
    pub(super) reach: Reach,
    /// The CancelRequest.
    pub(super) request: Vec<u8>,
    pub(super) limits: Limits,
}

impl Canceller {
    /// Sends a CancelRequest, on a connection like the session's: encrypted if that is. It returns when the server has
    /// closed it, and then it has interrupted the session, which still has to be read to its next ReadyForQuery: what
    /// it was doing has failed, or was done already.
    ///
    /// What is sent on the session before this returns may be cancelled instead.
    ///
    /// Dropped: it may have been sent, or not.
    ///
    /// # Errors
    ///
    /// [`CancelError`].
    pub async fn cancel(&self) -> Result<(), CancelError> {
        let connected = self.reach.connect(self.limits, LONGEST).await;
        let mut connection = connected.map_err(|unreached| match unreached {
            Unreached::Io(error) => CancelError::Io(error),
            Unreached::Tls(error) => CancelError::Tls(error),
        })?;
        // The key is a secret.
        if self.reach.transport != Transport::Plain && !connection.io().is_tls() {
            return Err(CancelError::NoTls);
        }
        connection.push_bytes(&self.request).map_err(crate::Error::Message)?;
        connection.flush().await?;
        loop {
            match connection.next().await {
                // However a server hangs up.
                Ok(None) | Err(crate::Error::Io(_)) => return Ok(()),
                Ok(Some(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").field("reach", &self.reach).finish_non_exhaustive()
    }
}
