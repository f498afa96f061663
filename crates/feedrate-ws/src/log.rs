//! What firmware logs (feature `defmt`) of what the peer sent: kinds, codes and lengths, but no content.

use defmt::{Format, Formatter, write};

use crate::close::Close;
use crate::message::{Message, Piece, Text};
use crate::receiver::Event;

impl Format for Text<'_> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "text of {=usize} bytes", self.as_bytes().len());
    }
}

impl Format for Message<'_> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{} message of {=usize} bytes", self.kind(), self.as_bytes().len());
    }
}

impl Format for Piece<'_> {
    fn format(&self, f: Formatter<'_>) {
        let (first, last) = (self.is_first(), self.is_last());
        write!(
            f,
            "{} piece of {=usize} bytes, first: {=bool}, last: {=bool}",
            self.kind(),
            self.as_bytes().len(),
            first,
            last
        );
    }
}

impl Format for Close<'_> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{}, a reason of {=usize} bytes", self.code, self.reason.len());
    }
}

impl<M: Format> Format for Event<'_, M> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Message(message) => message.format(f),
            Self::Ping(payload) => write!(f, "ping of {=usize} bytes", payload.len()),
            Self::Pong(payload) => write!(f, "pong of {=usize} bytes", payload.len()),
            Self::Closed(close) => write!(f, "closed: {}", close),
        }
    }
}
