//! Connections over [`std::io`], for programs with a thread a connection: [`Connection`].

use alloc::vec::Vec;
use core::fmt;
use std::io::{self, Read, Write};

use feedrate::{Buffer, Decoder, Encode, EncodeError, Grow, Protocol, Ready, Storage};

use crate::inlet::Inlet;
use crate::outlet::Outlet;

/// What can go wrong, for the protocol `P`.
pub type Error<P> = crate::Error<<P as Protocol>::Error, io::Error>;

/// Messages in both directions over anything that blocks.
///
/// Limits of time are the transport's: `TcpStream::set_read_timeout` and `set_write_timeout`. When one passes, the
/// error is an [`Error::Io`](crate::Error::Io), nothing is lost, and the same call can be made again.
///
/// ```no_run
/// use feedrate::Grow;
/// use feedrate::pg::Backend;
/// use feedrate::pg::backend::Message;
/// use feedrate::pg::frontend::Query;
/// use feedrate_io::blocking::Connection;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let socket = std::net::TcpStream::connect("127.0.0.1:5432")?;
/// // On a session that is open:
/// let mut pg = Connection::new(socket, Backend::established(), Grow::new(1 << 20), 16 * 1024);
/// pg.send(&Query { sql: "select 1".into() })?;
/// while let Some(frame) = pg.next()? {
///     match frame.message()? {
///         Message::DataRow(row) => println!("{} columns", row.columns.iter().count()),
///         Message::ReadyForQuery(_) => break,
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Connection<P: Protocol, S, T> {
    inlet: Inlet<P, S, Vec<u8>>,
    outlet: Outlet<Grow>,
    io: T,
}

impl<P: Protocol<Error: 'static>, S: Storage, T> Connection<P, S, T> {
    /// A connection that reads up to `buffer` bytes at a time. Its longest message is what `storage` holds.
    pub fn new(io: T, protocol: P, storage: S, buffer: usize) -> Self {
        // A buffer without bytes would look like the end of the stream.
        let inlet = Inlet::new(protocol, storage, alloc::vec![0; buffer.max(1)]);
        Self { inlet, outlet: Outlet::new(Grow::new(usize::MAX)), io }
    }

    /// The decoder's protocol, and what it holds.
    pub const fn decoder(&self) -> &Decoder<P, S> {
        self.inlet.decoder()
    }

    /// The protocol, to tell it between two messages what the bytes alone do not say.
    pub const fn protocol_mut(&mut self) -> &mut P {
        self.inlet.decoder_mut().protocol_mut()
    }

    /// The transport, to set its limits of time.
    pub const fn io(&self) -> &T {
        &self.io
    }

    /// Queues a message, to be written with the next [`flush`](Self::flush) or [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// [`EncodeError`]: nothing has been queued.
    pub fn push(&mut self, message: &impl Encode) -> Result<(), EncodeError> {
        self.outlet.push(message).map(|_| ())
    }

    /// The next message, if all of it has been read already.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`](crate::Error::Protocol).
    pub fn try_next(&mut self) -> Result<Option<P::Message<'_>>, Error<P>> {
        let Some(ready) = self.inlet.ready().map_err(crate::Error::Protocol)? else { return Ok(None) };
        self.inlet.take(ready).map(Some).map_err(crate::Error::Protocol)
    }

    /// Takes the connection apart, for a protocol that becomes another one in mid-stream: the transport, the decoder,
    /// and the buffer with what is unread.
    pub fn into_parts(self) -> (T, Decoder<P, S>, Buffer<Vec<u8>>) {
        let (decoder, buffer) = self.inlet.into_parts();
        (self.io, decoder, buffer)
    }
}

impl<P: Protocol<Error: 'static>, S: Storage, T: Read + Write> Connection<P, S, T> {
    /// The next message, lent until something else is asked of the connection. What has been pushed is written before
    /// it is waited for. `None`: the peer sends no more.
    ///
    /// # Errors
    ///
    /// [`crate::Error`]. After one that is not [over](crate::Error::is_over), the next message follows.
    // Not `Iterator::next`, which cannot lend.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<P::Message<'_>>, Error<P>> {
        let Some(ready) = self.ready()? else { return Ok(None) };
        self.inlet.take(ready).map(Some).map_err(crate::Error::Protocol)
    }

    fn ready(&mut self) -> Result<Option<Ready>, Error<P>> {
        loop {
            if let Some(ready) = self.inlet.ready().map_err(crate::Error::Protocol)? {
                return Ok(Some(ready));
            }
            self.flush()?;
            match self.io.read(self.inlet.space()) {
                Ok(0) => return self.inlet.decoder().end().map(|()| None).map_err(crate::Error::Protocol),
                Ok(n) => self.inlet.filled(n),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(crate::Error::Io(error)),
            }
        }
    }

    /// Queues a message and writes what waits.
    ///
    /// # Errors
    ///
    /// [`crate::Error`].
    pub fn send(&mut self, message: &impl Encode) -> Result<(), Error<P>> {
        self.push(message).map_err(crate::Error::Message)?;
        self.flush()
    }

    /// Writes what waits.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io): the rest still waits.
    pub fn flush(&mut self) -> Result<(), Error<P>> {
        if self.outlet.unsent().is_empty() {
            return Ok(());
        }
        while !self.outlet.unsent().is_empty() {
            match self.io.write(self.outlet.unsent()) {
                Ok(0) => return Err(crate::Error::Io(io::ErrorKind::WriteZero.into())),
                Ok(n) => self.outlet.sent(n),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(crate::Error::Io(error)),
            }
        }
        self.io.flush().map_err(crate::Error::Io)
    }
}

impl<P: Protocol, S, T: fmt::Debug> fmt::Debug for Connection<P, S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("io", &self.io)
            .field("outlet", &self.outlet)
            .finish_non_exhaustive()
    }
}
