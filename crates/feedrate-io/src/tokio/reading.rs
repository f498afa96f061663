//! Reading, whether the same task writes or another one.

use core::task::{Context, Poll};

use ::tokio::io::AsyncRead;
use feedrate::{Protocol, Ready, Storage};

use super::Error;
use super::lease::Lease;
use super::line::Line;
use crate::inlet::Inlet;
use crate::limits::Late;
use crate::timer::Timer;

/// Where reading is.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Messages have been handed out since the deadlines were told last.
    pub(super) ended: bool,
    /// There is a buffer.
    pub(super) leased: bool,
}

impl Reading {
    /// A message that has been read already.
    #[inline(always)]
    pub(super) fn pull<'a, P: Protocol<Error: 'static>, S: Storage>(
        &mut self,
        inlet: &'a mut Inlet<P, S, Lease>,
    ) -> Result<Option<P::Message<'a>>, Error<P>> {
        if let Some(ready) = inlet.glance() {
            return self.take(ready, inlet).map(Some);
        }
        Self::finish(self.ready(inlet), inlet)
    }

    /// Takes it.
    #[inline(always)]
    pub(super) fn take<'a, P: Protocol<Error: 'static>, S: Storage>(
        &mut self,
        ready: Ready,
        inlet: &'a mut Inlet<P, S, Lease>,
    ) -> Result<P::Message<'a>, Error<P>> {
        self.ended = true;
        inlet.take(ready).map_err(crate::Error::Protocol)
    }

    /// What was waited for.
    // Not inlined, as what waits: so that `next` is small enough to become a part of its caller.
    #[inline(never)]
    pub(super) fn finish<P: Protocol<Error: 'static>, S: Storage>(
        ready: Result<Option<Ready>, Error<P>>,
        inlet: &mut Inlet<P, S, Lease>,
    ) -> Result<Option<P::Message<'_>>, Error<P>> {
        ready?.map(|ready| inlet.take(ready)).transpose().map_err(crate::Error::Protocol)
    }

    #[inline(never)]
    fn ready<P: Protocol<Error: 'static>, S: Storage>(
        &mut self,
        inlet: &mut Inlet<P, S, Lease>,
    ) -> Result<Option<Ready>, Error<P>> {
        let ready = inlet.ready();
        self.ended |= !matches!(ready, Ok(None));
        ready.map_err(crate::Error::Protocol)
    }

    /// The message that has been read, or else reads until there is one. Ready with nothing: the peer sends no more.
    ///
    /// `write` writes what waits. It is ready when nothing does, or with the limit that writing has passed.
    pub(super) fn poll_ready<P: Protocol<Error: 'static>, S: Storage, T: AsyncRead + Unpin, C: Timer>(
        &mut self,
        cx: &mut Context<'_>,
        line: &mut Line<T, C>,
        inlet: &mut Inlet<P, S, Lease>,
        mut write: impl FnMut(&mut Line<T, C>, &mut Context<'_>) -> Poll<Option<Late>>,
    ) -> Poll<Result<Option<Ready>, Error<P>>> {
        loop {
            if let Some(ready) = self.ready(inlet)? {
                return Poll::Ready(Ok(Some(ready)));
            }
            let written = write(line, cx);
            if line.ended {
                if let Some(late) = core::task::ready!(written) {
                    return Poll::Ready(Err(crate::Error::Late(late)));
                }
                inlet.decoder().end().map_err(crate::Error::Protocol)?;
                return Poll::Ready(line.failure().map(|()| None).map_err(crate::Error::Io));
            }
            match self.poll_read(cx, line, inlet) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(crate::Error::Io(error))),
                Poll::Pending => return line.poll_late(cx).map(|late| Err(crate::Error::Late(late))),
            }
        }
    }

    /// Reads into the inlet. Nothing that is unread may be there.
    pub(super) fn poll_read<P: Protocol, S: Storage, T: AsyncRead + Unpin, C: Timer>(
        &mut self,
        cx: &mut Context<'_>,
        line: &mut Line<T, C>,
        inlet: &mut Inlet<P, S, Lease>,
    ) -> Poll<std::io::Result<usize>> {
        if !self.leased {
            self.leased = inlet.replace(Lease::new(!line.watch.is_established())).is_ok();
        }
        match line.poll_read(cx, inlet.space()) {
            Poll::Ready(Ok(n)) => {
                inlet.filled(n);
                Poll::Ready(Ok(n))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.give_back(inlet);
                line.watch.reading(self.ended, inlet.decoder().pending().len(), line.timer.now());
                self.ended = false;
                Poll::Pending
            }
        }
    }

    pub(super) fn give_back<P: Protocol, S: Storage>(&mut self, inlet: &mut Inlet<P, S, Lease>) {
        if self.leased {
            self.leased = inlet.replace(Lease::NONE).is_err();
        }
    }
}
