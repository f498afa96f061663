//! Messages: what comes out of a [`Receiver`](crate::Receiver), and goes into a [`Sender`](crate::Sender).

use core::fmt;

use crate::opcode::Kind;
use crate::utf8;

/// A whole message.
///
/// ```
/// use feedrate_ws::Message;
///
/// assert_eq!(Message::from("Hello"), Message::Text("Hello".into()));
/// assert_eq!(Message::from(b"Hello"), Message::Binary(b"Hello"));
/// ```
// Exhaustive: RFC 6455 reserves opcodes for other kinds, and nobody has defined one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// UTF-8.
    Text(Text<'a>),
    /// Bytes.
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    /// Which of the two.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<Text<'a>> for Message<'a> {
    fn from(text: Text<'a>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Message<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Message<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Binary(bytes)
    }
}

#[cfg(feature = "alloc")]
impl<'a> From<&'a alloc::string::String> for Message<'a> {
    fn from(text: &'a alloc::string::String) -> Self {
        text.as_str().into()
    }
}

#[cfg(feature = "alloc")]
impl<'a> From<&'a alloc::vec::Vec<u8>> for Message<'a> {
    fn from(bytes: &'a alloc::vec::Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl AsRef<[u8]> for Message<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Text that has been validated.
///
/// A message that came in pieces was validated in pieces. The standard library cannot be told so without `unsafe`, so
/// [`as_str`](Self::as_str) validates it again. Forwarding a message, or parsing it from bytes, needs no `str`.
#[derive(Clone, Copy)]
pub struct Text<'a>(Known<'a>);

#[derive(Clone, Copy)]
enum Known<'a> {
    Str(&'a str),
    Valid(&'a [u8]),
}

impl<'a> Text<'a> {
    #[inline]
    pub(crate) const fn new(text: &'a str) -> Self {
        Self(Known::Str(text))
    }

    /// All of `bytes` have been validated by [`Utf8`](crate::Utf8).
    pub(crate) const fn validated(bytes: &'a [u8]) -> Self {
        Self(Known::Valid(bytes))
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &'a str {
        match self.0 {
            Known::Str(text) => text,
            Known::Valid(bytes) => utf8::text(bytes).unwrap_or_default(),
        }
    }

    /// Its bytes.
    #[inline]
    pub const fn as_bytes(&self) -> &'a [u8] {
        match self.0 {
            Known::Str(text) => text.as_bytes(),
            Known::Valid(bytes) => bytes,
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text)
    }
}

#[cfg(feature = "alloc")]
impl<'a> From<&'a alloc::string::String> for Text<'a> {
    fn from(text: &'a alloc::string::String) -> Self {
        Self::new(text)
    }
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self::new("")
    }
}

impl AsRef<[u8]> for Text<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text<'_> {}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// A piece of a message, received or to be sent.
///
/// The pieces of a text are valid UTF-8 together, but a piece may begin or end inside a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    pub(crate) kind: Kind,
    pub(crate) bytes: &'a [u8],
    pub(crate) first: bool,
    pub(crate) last: bool,
}

impl<'a> Piece<'a> {
    /// A piece of text, to be sent. `last`: the message ends here.
    pub const fn text(text: &'a str, last: bool) -> Self {
        Self { kind: Kind::Text, bytes: text.as_bytes(), first: false, last }
    }

    /// A piece of a binary message, to be sent. `last`: the message ends here.
    pub const fn binary(bytes: &'a [u8], last: bool) -> Self {
        Self { kind: Kind::Binary, bytes, first: false, last }
    }

    /// The kind of its message.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its bytes. The last piece may have none.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether the message begins here (for received pieces).
    pub const fn is_first(&self) -> bool {
        self.first
    }

    /// Whether the message ends here.
    pub const fn is_last(&self) -> bool {
        self.last
    }
}
