//! Connections over the traits of embedded-io-async 0.7, in the caller's memory: [`Reader`] and [`Writer`].
//!
//! They are two, as the traits cannot wait for a read and a write of one driver at once. Limits of time are the
//! program's: `embassy_time::with_timeout` around what is awaited.
//!
//! # Cancel safety
//!
//! It is the driver's: these traits do not say what a dropped read has done with the bytes that it read. Where a
//! dropped `read` has read nothing, nothing is lost here; and what a dropped `write` has not reported as written, it is
//! asked to write again.

use core::fmt;

use embedded_io_async_07::{Read, Write};
use feedrate::{Decoder, Encode, EncodeError, Protocol, Storage};

use crate::error::Error;
use crate::inlet::Inlet;
use crate::outlet::Outlet;

/// What comes in. `M` is the memory to read to: an array, or a slice that the caller lends.
///
/// ```
/// use feedrate::{Array, pg::Backend};
/// use feedrate_io::embedded::Reader;
///
/// # async fn run(uart: &[u8]) -> Result<(), feedrate_io::embedded::ReadError<Backend, core::convert::Infallible>> {
/// let mut reader = Reader::new(uart, Backend::established(), Array::<512>::new(), [0; 64]);
/// while let Some(frame) = reader.next().await? {
///     println!("{}", frame.name());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Reader<P: Protocol, S, M, R> {
    inlet: Inlet<P, S, M>,
    io: R,
}

/// What can go wrong with reading. `I` is the driver's error.
pub type ReadError<P, I> = Error<<P as Protocol>::Error, I>;

impl<P: Protocol<Error: 'static>, S: Storage, M: AsRef<[u8]> + AsMut<[u8]>, R: Read<Error: 'static>>
    Reader<P, S, M, R>
{
    /// Reads from `io` to `memory`, which has to have at least one byte. The longest message is what `storage` holds.
    pub const fn new(io: R, protocol: P, storage: S, memory: M) -> Self {
        Self { inlet: Inlet::new(protocol, storage, memory), io }
    }

    /// The next message, lent until the one after it is asked for. `None`: there is no more to be read.
    ///
    /// # Errors
    ///
    /// [`Error`]. After one that is not [over](Error::is_over), the next message follows.
    // Not `Iterator::next`, which cannot lend.
    #[allow(clippy::should_implement_trait)]
    pub async fn next(&mut self) -> Result<Option<P::Message<'_>>, ReadError<P, R::Error>> {
        let ready = loop {
            if let Some(ready) = self.inlet.ready().map_err(Error::Protocol)? {
                break ready;
            }
            match self.io.read(self.inlet.space()).await.map_err(Error::Io)? {
                0 => return self.inlet.decoder().end().map(|()| None).map_err(Error::Protocol),
                n => self.inlet.filled(n),
            }
        };
        self.inlet.take(ready).map(Some).map_err(Error::Protocol)
    }

    /// The decoder, to tell its protocol what the bytes alone do not say, or that the line fell silent.
    pub const fn decoder_mut(&mut self) -> &mut Decoder<P, S> {
        self.inlet.decoder_mut()
    }

    /// The driver, and what has been read and not been taken.
    pub fn into_parts(self) -> (R, Inlet<P, S, M>) {
        (self.io, self.inlet)
    }
}

/// What goes out. `Q` holds what waits to be written, and its limit is how much may.
///
/// ```
/// use feedrate::{Array, pg::frontend::Sync};
/// use feedrate_io::embedded::Writer;
///
/// # async fn run(uart: &mut [u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let mut writer = Writer::new(uart, Array::<256>::new());
/// writer.push(&Sync)?;
/// writer.flush().await?;
/// # Ok(())
/// # }
/// ```
pub struct Writer<Q, W> {
    outlet: Outlet<Q>,
    io: W,
}

impl<Q: Storage, W: Write> Writer<Q, W> {
    /// Writes to `io`.
    pub const fn new(io: W, queue: Q) -> Self {
        Self { outlet: Outlet::new(queue), io }
    }

    /// Queues a message, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`EncodeError`].
    pub fn push(&mut self, message: &impl Encode) -> Result<(), EncodeError> {
        self.outlet.push(message).map(|_| ())
    }

    /// Writes what waits.
    ///
    /// Dropped: what the driver has reported as written is not written again.
    ///
    /// # Errors
    ///
    /// The driver's. The rest still waits.
    pub async fn flush(&mut self) -> Result<(), W::Error> {
        while !self.outlet.unsent().is_empty() {
            let n = self.io.write(self.outlet.unsent()).await?;
            self.outlet.sent(n);
        }
        self.io.flush().await
    }

    /// Bytes that wait.
    pub fn queued(&self) -> usize {
        self.outlet.unsent().len()
    }

    /// The driver, and what waits.
    pub fn into_parts(self) -> (W, Outlet<Q>) {
        (self.io, self.outlet)
    }
}

impl<P: Protocol, S, M, R> fmt::Debug for Reader<P, S, M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl<Q: Storage, W> fmt::Debug for Writer<Q, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("outlet", &self.outlet).finish_non_exhaustive()
    }
}
