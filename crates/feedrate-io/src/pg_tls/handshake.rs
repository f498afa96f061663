//! What both sides do.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::{Encode, Grow, Protocol, Storage, pg};

use super::error::Error;
use super::stream::Stream;
use crate::outlet::Outlet;
use crate::timer::Timer;
use crate::tokio::Connection;

/// Writes a message before all that waits.
pub(super) async fn send_first<P, S, T, C>(
    pg: &mut Connection<P, S, T, C>,
    message: &impl Encode,
) -> Result<(), Error>
where
    P: Protocol<Error = pg::Error>,
    T: AsyncWrite + Unpin,
    C: Timer,
{
    let mut first = Outlet::new(Grow::new(64));
    first.push(message).map_err(crate::Error::Message)?;
    Ok(poll_fn(|cx| pg.poll_flush_first(cx, &mut first)).await?)
}

/// Reads some bytes more, at most `most` of them, before anything is decoded. 0: the peer sends no more.
pub(super) async fn read<P, S, T, C>(pg: &mut Connection<P, S, T, C>, most: usize) -> Result<usize, Error>
where
    P: Protocol<Error = pg::Error>,
    S: Storage,
    T: AsyncRead + Unpin,
    C: Timer,
{
    Ok(poll_fn(|cx| pg.poll_fill(cx, most)).await?)
}

/// Waits for TLS to begin, as long as it may take. `pg` is the connection without its transport.
pub(super) async fn secure<P, S, C, TLS>(
    pg: &mut Connection<P, S, (), C>,
    handshake: impl Future<Output = io::Result<TLS>>,
) -> Result<TLS, Error>
where
    P: Protocol<Error = pg::Error>,
    C: Timer,
{
    let mut handshake = pin!(handshake);
    poll_fn(|cx| match handshake.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(done.map_err(Error::of_tls)),
        Poll::Pending => pg.poll_late(cx).map(|late| Err(crate::Error::Late(late).into())),
    })
    .await
}

/// The session goes on in clear.
pub(super) fn plain<P: Protocol<Error = pg::Error>, S, T, C: Timer>(
    pg: Connection<P, S, T, C>,
) -> Connection<P, S, Stream<T>, C> {
    let (pg, io) = pg.replace_io(());
    pg.replace_io(Stream::plain(io)).0
}
