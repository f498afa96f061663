//! The same for programs without an asynchronous runtime: [`Client`].

use core::fmt;
use std::io;

use ::tokio::runtime::{Builder, Runtime};
use feedrate_pg::client::{Event, Request, SendError};

use super::cancel::Canceller;
use super::connect::{Connector, Session};
use super::error::{CancelError, ConnectError, Error};

/// A session whose calls block. It has all that the asynchronous one has, deadlines included, because it is one, with a
/// runtime of its own that runs while a call does.
///
/// ```no_run
/// use feedrate::pg::{backend::Message, frontend::Query};
/// use feedrate_io::pg::{Connector, blocking::Client};
/// use feedrate_pg::conninfo::Settings;
///
/// let mut settings = Settings::new(Vec::new());
/// settings.parse("postgresql://alice@localhost/sales?sslmode=disable")?;
/// let mut pg = Client::connect(&Connector::new(settings))?;
/// pg.push(&Query { sql: "select 1".into() })?;
/// while let Some(event) = pg.next()? {
///     match event.message {
///         Message::DataRow(row) => println!("{:?}", row.columns.get(0)),
///         Message::ReadyForQuery(_) => break,
///         _ => {}
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Client {
    session: Session,
    runtime: Runtime,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    ///
    /// As [`Connector::connect`].
    pub fn connect(connector: &Connector) -> Result<Self, ConnectError> {
        let runtime = runtime().map_err(ConnectError::Runtime)?;
        let session = runtime.block_on(connector.connect())?;
        Ok(Self { session, runtime })
    }

    /// The session, for what does not wait.
    pub const fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Queues a request, as [`Session::push`](super::Client::push). It is written with the next call that blocks.
    ///
    /// # Errors
    ///
    /// [`SendError`].
    pub fn push(&mut self, request: &impl Request) -> Result<u64, SendError> {
        self.session.push(request)
    }

    /// The next event.
    ///
    /// # Errors
    ///
    /// [`Error`].
    // Not `Iterator::next`, which cannot lend: the name is what everybody expects of it.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Error> {
        self.runtime.block_on(self.session.next())
    }

    /// Waits for room, or an event: see [`room`](super::Client::room).
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn room(&mut self) -> Result<bool, Error> {
        self.runtime.block_on(self.session.room())
    }

    /// Writes what waits.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.runtime.block_on(self.session.flush())
    }

    /// Ends the session.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn close(self) -> Result<(), Error> {
        self.runtime.block_on(self.session.close())
    }
}

/// Cancels what a session is doing, from another thread: see [`Canceller::cancel`].
///
/// # Errors
///
/// [`CancelError`].
pub fn cancel(canceller: &Canceller) -> Result<(), CancelError> {
    runtime().map_err(CancelError::Io)?.block_on(canceller.cancel())
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("session", &self.session).finish_non_exhaustive()
    }
}
