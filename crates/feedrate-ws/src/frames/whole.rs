//! Frames that come out whole.

use feedrate::{Extent, Protocol};

use super::look::QUICK;
use super::{Frames, Next};
use crate::frame::Frame;
use crate::header::{Header, Measured};
use crate::mask;
use crate::mode::Whole;
use crate::part::FrameError;

impl Protocol for Frames<Whole> {
    type Bytes<'a> = &'a mut [u8];
    type Message<'a> = Frame<'a>;
    type Error = FrameError;

    fn extent(&self, head: &[u8]) -> Result<Extent, FrameError> {
        Ok(match Measured::of(head, &self.expected())? {
            Measured::Need(n) => Extent::Need(n),
            Measured::Whole(header, n) => {
                // If it does not fit into a `usize`, it is longer than any storage.
                let length = usize::try_from(header.length).unwrap_or(usize::MAX);
                Extent::Message(length.saturating_add(n))
            }
        })
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Frame<'a>, FrameError> {
        let Measured::Whole(header, n) = Measured::of(frame, &self.expected())? else {
            return Err(FrameError::NotReady);
        };
        self.begin(&header);
        self.remaining = 0;
        let payload = frame.get_mut(n..).unwrap_or_default();
        if let Some(key) = header.mask {
            mask::apply(payload, key);
        }
        let Header { fin, rsv1, opcode, mask, length: _ } = header;
        Ok(Frame { fin, rsv1, opcode, mask, payload })
    }

    #[inline]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        if QUICK { self.look(head).map(|look| look.frame()) } else { None }
    }

    fn inside(&self) -> bool {
        !self.has_ended()
    }

    fn skipped(&mut self, _: usize) {
        // The refused frame has not been looked at, so it is unknown whether its message goes on.
        self.next = Next::ANY;
    }

    fn reset(&mut self) {
        self.next = self.kinds;
    }
}
