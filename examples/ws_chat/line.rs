//! What one says: [`Line`]. On the wire it is `NAME NUMBER TEXT`.

use std::fmt;

/// The longest that is said or heard, in bytes.
pub(crate) const LONGEST: usize = 4096;

/// A name's lines have numbers that rise, so that one that is heard again is known.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) number: u64,
    pub(crate) text: &'a str,
}

impl<'a> Line<'a> {
    /// `None`: it is none. The server's own words are not.
    pub(crate) fn read(said: &'a str) -> Option<Self> {
        let (name, rest) = said.split_once(' ')?;
        let (number, text) = rest.split_once(' ')?;
        Some(Self { name, number: number.parse().ok()?, text })
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.number, self.text)
    }
}
