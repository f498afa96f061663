//! Strings as they are on the wire, and secret bytes.

use core::fmt;
use core::str::Utf8Error;

/// A string of the protocol, without its terminating NUL.
///
/// PostgreSQL sends it in `client_encoding`, and in no particular encoding before that is agreed on. So these are
/// bytes, with a checked view as `str`. `Debug` escapes unprintable bytes; `Display` replaces what is not UTF-8.
///
/// ```
/// use feedrate::pg::Text;
///
/// let name = Text::from("möbel");
/// assert_eq!(name, "möbel");
/// assert_eq!(name.as_bytes().len(), 6);
/// assert_eq!(name.to_str(), Ok("möbel"));
/// assert!(Text::from(&[0xff][..]).to_str().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// As `from`, but `const`.
    pub const fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The bytes as UTF-8, which they are if `client_encoding` is UTF8.
    ///
    /// # Errors
    ///
    /// If they are not valid UTF-8.
    pub const fn to_str(self) -> Result<&'a str, Utf8Error> {
        core::str::from_utf8(self.0)
    }

    /// Whether there are no bytes. The unnamed statement and portal have an empty name.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Text<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(bytes)
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            // `escape_debug` escapes both kinds of quotes, but SQL is full of single ones.
            for (i, part) in chunk.valid().split('\'').enumerate() {
                write!(f, "{}{}", if i == 0 { "" } else { "'" }, part.escape_debug())?;
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        f.write_str("\"")
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

/// Passwords, cancel keys, SASL data: bytes that `Debug` hides and that are compared in constant time.
///
/// ```
/// use feedrate::pg::Secret;
///
/// let key = Secret::from(&[1, 2, 3, 4][..]);
/// assert_eq!(format!("{key:?}"), "Secret(4 bytes)");
/// assert!(key == Secret::from(&[1, 2, 3, 4][..]));
/// assert_eq!(key.expose(), [1, 2, 3, 4]);
/// ```
#[derive(Clone, Copy, Default)]
pub struct Secret<'a>(&'a [u8]);

impl<'a> Secret<'a> {
    /// As `from`, but `const`.
    pub const fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves.
    #[inline]
    pub const fn expose(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> From<&'a [u8]> for Secret<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> From<&'a str> for Secret<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Secret<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Secret<'_> {
    /// Takes the same time wherever the two differ. Their lengths are not a secret.
    fn eq(&self, other: &Self) -> bool {
        if self.0.len() != other.0.len() {
            return false;
        }
        let mut difference = 0;
        for (a, b) in self.0.iter().zip(other.0) {
            // Prevents the optimizer from leaving the loop at the first difference.
            difference = core::hint::black_box(difference | (a ^ b));
        }
        difference == 0
    }
}

impl Eq for Secret<'_> {}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Text<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self.to_str() {
            Ok(text) => defmt::write!(f, "{=str:?}", text),
            Err(_) => defmt::write!(f, "{=[u8]:a}", self.0),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Secret<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Secret({=usize} bytes)", self.0.len());
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for Text<'a> {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let bytes = <&[u8]>::arbitrary(u)?;
        let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
        Ok(Self::from(bytes.get(..end).unwrap_or_default()))
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for Secret<'a> {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::from(<&[u8]>::arbitrary(u)?))
    }
}
