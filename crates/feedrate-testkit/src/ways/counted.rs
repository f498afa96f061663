//! What of a stream is given up.

use feedrate::{Extent, Protocol, Recovery};

/// Counts what is given up, for any protocol.
pub(super) struct Counted<P> {
    pub(super) inner: P,
    pub(super) skipped: usize,
}

impl<P: Protocol> Protocol for Counted<P> {
    type Bytes<'a> = P::Bytes<'a>;
    type Message<'a> = P::Message<'a>;
    type Error = P::Error;
    const RECOVERY: Recovery = P::RECOVERY;

    fn extent(&self, head: &[u8]) -> Result<Extent, P::Error> {
        self.inner.extent(head)
    }

    fn check(&self, frame: &[u8]) -> Result<(), P::Error> {
        self.inner.check(frame)
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<P::Message<'a>, P::Error> {
        self.inner.parse(frame)
    }

    fn glance(&self, head: &[u8]) -> Option<usize> {
        self.inner.glance(head)
    }

    fn quick<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<P::Message<'a>, P::Error> {
        self.inner.quick(frame)
    }

    fn scan(&mut self, so_far: &[u8], from: usize) -> Result<(), P::Error> {
        self.inner.scan(so_far, from)
    }

    fn head(&self, head: &[u8], length: usize) -> Option<usize> {
        self.inner.head(head, length)
    }

    fn inside(&self) -> bool {
        self.inner.inside()
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
        self.inner.skipped(n);
    }

    fn reset(&mut self) {
        self.inner.reset();
    }
}
