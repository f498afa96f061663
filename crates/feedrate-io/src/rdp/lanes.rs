//! The transports of one line: [`Lanes`].

use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::Instant;
use feedrate_rdp::link::LaneId;
use feedrate_rdp::stream::StreamError;

use super::lane::{Lane, Leaving};
use crate::limits::Late;

/// What a line's transports need of the protocol behind them.
pub(super) trait Side {
    /// Takes what has arrived, as far as there is room.
    fn feed(&mut self, lane: LaneId, input: &mut &[u8], now: Instant) -> Result<(), StreamError>;
    /// Writes what is next into `out`, and returns how much that is.
    fn poll_transmit(&mut self, lane: LaneId, out: &mut [u8], now: Instant) -> usize;
    /// There is no such lane any more.
    fn disconnect(&mut self, lane: LaneId, now: Instant);
    /// Nothing more is to be read, and what is to be sent has been taken.
    fn is_finished(&self) -> bool;
}

/// Why a transport is not there any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Ended {
    /// The peer has closed it.
    #[error("the other side closed it")]
    Closed,
    /// Its session is over, and all has been sent.
    #[error("its session is over")]
    Over,
    /// What arrived is not RDPv3.
    #[error(transparent)]
    NotRdp(StreamError),
    /// The transport failed.
    #[error(transparent)]
    Io(io::Error),
    /// The peer took nothing for too long.
    #[error(transparent)]
    Late(Late),
    /// Another one has taken its place.
    #[error("another one takes its place")]
    Replaced,
}

/// A line's transports: the signal lane, or the byte stream; and the bulk lane.
pub(super) struct Lanes<T> {
    lanes: [Option<Lane<T>>; 2],
    /// More than two at a time have no right to wait.
    leaving: [Option<Leaving<T>>; 2],
    /// How long those may take.
    linger: Duration,
}

const IDS: [LaneId; 2] = [LaneId::Signal, LaneId::Bulk];

impl<T: AsyncRead + AsyncWrite + Unpin> Lanes<T> {
    pub(super) const fn new(linger: Duration) -> Self {
        Self { lanes: [None, None], leaving: [None, None], linger }
    }

    /// Takes a transport. Returns whether it replaces one.
    pub(super) fn put(&mut self, id: LaneId, io: T) -> bool {
        self.place(id).replace(Lane::new(io)).is_some()
    }

    /// Drops a transport, whatever waits on it. Returns whether there was one.
    pub(super) fn drop(&mut self, id: LaneId) -> bool {
        self.place(id).take().is_some()
    }

    const fn place(&mut self, id: LaneId) -> &mut Option<Lane<T>> {
        let [signal, bulk] = &mut self.lanes;
        match id {
            LaneId::Signal => signal,
            LaneId::Bulk => bulk,
        }
    }

    /// Whether somebody is connected to the signal lane, or the byte stream.
    pub(super) const fn is_connected(&self) -> bool {
        matches!(&self.lanes, [Some(_), _])
    }

    /// Whether nothing is left, not even one that is leaving.
    pub(super) const fn is_empty(&self) -> bool {
        matches!((&self.lanes, &self.leaving), ([None, None], [None, None]))
    }

    /// Feeds what has arrived, as far as there is room. Returns whether anything has come of it.
    pub(super) fn receive(
        &mut self,
        cx: &mut Context<'_>,
        side: &mut impl Side,
        now: Instant,
        ended: &mut impl FnMut(LaneId, Ended),
    ) -> bool {
        self.poll_leaving(cx);
        let mut moved = false;
        for (id, place) in IDS.into_iter().zip(&mut self.lanes) {
            let Some(lane) = place else { continue };
            if lane.ended {
                continue;
            }
            let mut wrong = None;
            let why = match lane.poll_feed(cx, |input| wrong = side.feed(id, input, now).err()) {
                Poll::Pending | Poll::Ready(Ok(Some(0))) => continue,
                Poll::Ready(Ok(Some(_))) => match wrong {
                    Some(wrong) => Ended::NotRdp(wrong),
                    None => {
                        moved = true;
                        continue;
                    }
                },
                Poll::Ready(Ok(None)) => {
                    (lane.ended, moved) = (true, true);
                    continue;
                }
                Poll::Ready(Err(error)) => Ended::Io(error),
            };
            *place = None;
            side.disconnect(id, now);
            ended(id, why);
            moved = true;
        }
        moved
    }

    /// Writes what is to be sent, as far as it is taken. Returns whether anything has come of it.
    pub(super) fn transmit(
        &mut self,
        cx: &mut Context<'_>,
        side: &mut impl Side,
        now: Instant,
        ended: &mut impl FnMut(LaneId, Ended),
    ) -> bool {
        let mut moved = false;
        for id in IDS {
            let Some(lane) = self.place(id) else { continue };
            let over = lane.ended;
            let why = loop {
                match lane.poll_free(cx) {
                    // Its session must not last for as long as the peer takes nothing.
                    Poll::Pending => break over.then_some(Ended::Closed),
                    Poll::Ready(Err(late)) => break Some(Ended::Late(late)),
                    Poll::Ready(Ok(())) => {}
                }
                if lane.fill(|out| side.poll_transmit(id, out, now)) == 0 {
                    let finished = side.is_finished().then_some(Ended::Over);
                    break if over { Some(Ended::Closed) } else { finished };
                }
                moved = true;
            };
            let Some(why) = why else { continue };
            let lane = self.place(id).take();
            if let (Some(lane), Ended::Closed | Ended::Over) = (lane, &why) {
                self.let_go(lane);
            }
            side.disconnect(id, now);
            ended(id, why);
            moved = true;
        }
        self.poll_leaving(cx);
        moved
    }

    fn let_go(&mut self, lane: Lane<T>) {
        let [older, newer] = &mut self.leaving;
        *older = newer.take().or(older.take());
        *newer = Some(Leaving::new(lane, self.linger));
    }

    fn poll_leaving(&mut self, cx: &mut Context<'_>) {
        for place in &mut self.leaving {
            if place.as_mut().is_some_and(|leaving| leaving.poll_gone(cx).is_ready()) {
                *place = None;
            }
        }
    }
}
