//! Prints the parts of a line: a name, and fields as libpq prints them.

use core::fmt::{self, Display, Write};

use crate::pg::text::Text;

/// Writes a name, then fields.
#[allow(missing_debug_implementations, reason = "a formatter has none")]
pub struct Printer<'f, 'w> {
    f: &'f mut fmt::Formatter<'w>,
    regress: bool,
    /// The tab between name and fields is due. A message without fields has none.
    tab: bool,
}

impl<'f, 'w> Printer<'f, 'w> {
    pub(super) const fn new(f: &'f mut fmt::Formatter<'w>, regress: bool) -> Self {
        Self { f, regress, tab: true }
    }

    /// Whether to hide what differs between two runs.
    pub(crate) const fn regress(&self) -> bool {
        self.regress
    }

    /// The message's name, or its substitute.
    pub(crate) fn name(&mut self, name: impl Display) -> fmt::Result {
        write!(self.f, "{name}")
    }

    pub(crate) fn number(&mut self, number: impl Display) -> fmt::Result {
        self.next()?;
        write!(self.f, "{number}")
    }

    /// libpq prints every Int16 as unsigned, even where it is signed: a type size of -1 is 65535.
    pub(crate) fn int16(&mut self, number: i16) -> fmt::Result {
        self.number(u16::from_be_bytes(number.to_be_bytes()))
    }

    /// libpq prints every Int32 as signed.
    pub(crate) fn int32(&mut self, number: u32) -> fmt::Result {
        self.number(signed(number))
    }

    /// A version, or the code of a request in its place.
    pub(crate) fn code(&mut self, code: u32) -> fmt::Result {
        let [a, b, c, d] = code.to_be_bytes();
        self.number(u16::from_be_bytes([a, b]))?;
        self.number(u16::from_be_bytes([c, d]))
    }

    /// A number that differs between runs.
    pub(crate) fn volatile(&mut self, number: i32) -> fmt::Result {
        if self.regress { self.number("NNNN") } else { self.number(number) }
    }

    pub(crate) fn oid(&mut self, oid: u32) -> fmt::Result {
        self.volatile(signed(oid))
    }

    pub(crate) fn value(&mut self, value: Option<&[u8]>) -> fmt::Result {
        match value {
            Some(value) => {
                self.number(value.len())?;
                self.bytes(value)
            }
            None => self.number(-1),
        }
    }

    pub(crate) fn text(&mut self, text: Text<'_>) -> fmt::Result {
        self.next()?;
        self.f.write_str("\"")?;
        for chunk in text.as_bytes().utf8_chunks() {
            self.f.write_str(chunk.valid())?;
            chunk.invalid().iter().try_for_each(|byte| write!(self.f, "\\x{byte:02x}"))?;
        }
        self.f.write_str("\"")
    }

    pub(crate) fn byte(&mut self, byte: u8) -> fmt::Result {
        self.next()?;
        self.printable(byte)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> fmt::Result {
        self.next()?;
        self.f.write_str("'")?;
        bytes.iter().try_for_each(|byte| self.printable(*byte))?;
        self.f.write_str("'")
    }

    /// A secret.
    pub(crate) fn hidden(&mut self) -> fmt::Result {
        self.bytes(b"BBBB")
    }

    /// COPY data.
    pub(crate) fn data(&mut self, data: &[u8]) -> fmt::Result {
        if self.regress { self.hidden() } else { self.bytes(data) }
    }

    fn next(&mut self) -> fmt::Result {
        self.f.write_str(if core::mem::take(&mut self.tab) { "\t " } else { " " })
    }

    /// As C's `isprint` sees it, in the "C" locale.
    fn printable(&mut self, byte: u8) -> fmt::Result {
        match byte {
            b' '..=b'~' => self.f.write_char(char::from(byte)),
            _ => write!(self.f, "\\x{byte:02x}"),
        }
    }
}

const fn signed(number: u32) -> i32 {
    i32::from_be_bytes(number.to_be_bytes())
}
