//! Whole messages, or their pieces: [`Mode`].

use feedrate::{Buffer, Grow, Instant};
use feedrate_ws::{Answer, Error, Event, InPieces, Message, Piece, Ready, Receiver, Whole};

/// How messages come out of a [`WebSocket`](super::WebSocket): [`Whole`], or [`InPieces`].
pub trait Mode: sealed::Mode {
    /// What comes out.
    type Data<'a>;
}

impl Mode for Whole {
    type Data<'a> = Message<'a>;
}

impl Mode for InPieces {
    type Data<'a> = Piece<'a>;
}

pub(crate) mod sealed {
    use super::*;

    pub trait Mode: Sized {
        fn ready<M: AsRef<[u8]> + AsMut<[u8]>>(
            receiver: &mut Receiver<Grow, Self>,
            buffer: &mut Buffer<M>,
            now: Instant,
            answers: &mut impl Answer,
        ) -> Result<Option<Ready>, Error>;

        fn take<'a, M: AsRef<[u8]> + AsMut<[u8]>>(
            receiver: &'a mut Receiver<Grow, Self>,
            ready: Ready,
            buffer: &'a mut Buffer<M>,
            now: Instant,
            answers: &mut impl Answer,
        ) -> Result<Option<Event<'a, Self::Data<'a>>>, Error>
        where
            Self: super::Mode;

        fn release(receiver: &mut Receiver<Grow, Self>);
    }

    macro_rules! mode {
        ($mode:ty) => {
            impl Mode for $mode {
                #[inline]
                fn ready<M: AsRef<[u8]> + AsMut<[u8]>>(
                    receiver: &mut Receiver<Grow, Self>,
                    buffer: &mut Buffer<M>,
                    now: Instant,
                    answers: &mut impl Answer,
                ) -> Result<Option<Ready>, Error> {
                    receiver.ready(buffer, now, answers)
                }

                #[inline]
                fn take<'a, M: AsRef<[u8]> + AsMut<[u8]>>(
                    receiver: &'a mut Receiver<Grow, Self>,
                    ready: Ready,
                    buffer: &'a mut Buffer<M>,
                    now: Instant,
                    answers: &mut impl Answer,
                ) -> Result<Option<Event<'a, <Self as super::Mode>::Data<'a>>>, Error> {
                    receiver.take(ready, buffer, now, answers)
                }

                fn release(receiver: &mut Receiver<Grow, Self>) {
                    receiver.release();
                }
            }
        };
    }

    mode!(Whole);
    mode!(InPieces);
}
