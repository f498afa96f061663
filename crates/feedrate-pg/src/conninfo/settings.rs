//! What has been set, whatever by.

use core::fmt;
use core::ops::Range;

use feedrate::Output;
use feedrate::pg::Text;

use super::{Keyword, ParseError, Problem};

/// Values of keywords, in the caller's memory `M`.
///
/// `M` is any [`Output`] that can be read: a `Vec<u8>`, a `heapless::Vec<u8, N>`, a
/// [`SliceOutput`](feedrate::SliceOutput). Twice as many bytes as the texts have is always enough. The password is in
/// there too, so [`into_memory`](Self::into_memory) gives it back to be wiped.
///
/// What is called first wins, except that [`parse`](Self::parse) and [`set`](Self::set) are explicit and replace
/// what is there. So call them in this order:
///
/// ```
/// use feedrate_pg::conninfo::{Keyword, Settings};
///
/// let file = "[reports]\nhost=reports.example.com\nport=5433\n"; // pg_service.conf
/// let environment = |name: &str| (name == "PGPORT").then_some("6432"); // std::env::var(name).ok()
///
/// let mut settings = Settings::new(Vec::new());
/// settings.parse("postgresql://alice@/sales?service=reports")?;
/// assert!(settings.service("reports", file)?);
/// settings.environment(environment)?;
/// settings.set_default(Keyword::User, "login")?;
///
/// assert_eq!(settings.get(Keyword::Host).unwrap(), "reports.example.com");
/// assert_eq!(settings.get(Keyword::Port).unwrap(), "5433");
/// assert_eq!(settings.get(Keyword::User).unwrap(), "alice");
/// # Ok::<(), feedrate_pg::conninfo::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Settings<M> {
    memory: M,
    values: Values,
}

/// Where each value is, in the order of [`Keyword::ALL`].
type Values = [Option<(u32, u32)>; Keyword::ALL.len()];

/// Who wins if a keyword is set already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    Explicit,
    Default,
}

impl<M: Output + AsRef<[u8]>> Settings<M> {
    /// Nothing is set.
    pub const fn new(memory: M) -> Self {
        Self { memory, values: [None; Keyword::ALL.len()] }
    }

    /// Sets a keyword, whether it is set already or not.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: [`Problem::Nul`] or [`Problem::Full`]. Then the settings are as before.
    pub fn set(&mut self, keyword: Keyword, value: impl AsRef<[u8]>) -> Result<(), ParseError> {
        let value = value.as_ref();
        no_nul(value)?;
        self.all_or_nothing(|settings| {
            let start = settings.memory.length();
            settings.memory.put(value).map_err(|_| FULL)?;
            settings.finish(keyword, start, Priority::Explicit)
        })
    }

    /// Sets a keyword if it is not set yet.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_default(&mut self, keyword: Keyword, value: impl AsRef<[u8]>) -> Result<(), ParseError> {
        if self.get(keyword).is_some() { Ok(()) } else { self.set(keyword, value) }
    }

    /// The value, if the keyword is set. It may be empty.
    pub fn get(&self, keyword: Keyword) -> Option<Text<'_>> {
        let (_, span) = Keyword::ALL.iter().zip(&self.values).find(|(other, _)| **other == keyword)?;
        let (start, end) = (*span)?;
        let span = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        self.memory.as_ref().get(span).map(Text::from_bytes)
    }

    /// The value if the keyword is set, or else its default, if it has one.
    pub fn get_or_default(&self, keyword: Keyword) -> Option<Text<'_>> {
        self.get(keyword).or_else(|| keyword.default_value().map(Text::from))
    }

    /// What is set, in the order of [`Keyword::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Keyword, Text<'_>)> {
        Keyword::ALL.into_iter().filter_map(|keyword| Some((keyword, self.get(keyword)?)))
    }

    /// Gives the memory back, with all values that have ever been set, to be wiped or used again.
    pub fn into_memory(self) -> M {
        self.memory
    }

    /// Appends bytes that [`finish`](Self::finish) makes a value of.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), ParseError> {
        self.memory.put(bytes).map_err(|_| FULL)
    }

    /// How long the memory is, so that it can be cut back.
    pub(super) fn mark(&self) -> usize {
        self.memory.length()
    }

    /// What has been put since `start`.
    pub(super) fn since(&self, start: usize) -> &[u8] {
        self.memory.as_ref().get(start..).unwrap_or_default()
    }

    /// Drops what has been put since `start`.
    pub(super) fn cut(&mut self, start: usize) {
        self.memory.truncate(start);
    }

    /// What has been put since `start` is the keyword's value.
    pub(super) fn finish(
        &mut self,
        keyword: Keyword,
        start: usize,
        priority: Priority,
    ) -> Result<(), ParseError> {
        if priority == Priority::Default && self.get(keyword).is_some() {
            self.cut(start);
            return Ok(());
        }
        let Range { start, end } = start..self.memory.length();
        let span = (u32::try_from(start).map_err(|_| FULL)?, u32::try_from(end).map_err(|_| FULL)?);
        if let Some((_, value)) =
            Keyword::ALL.iter().zip(&mut self.values).find(|(other, _)| **other == keyword)
        {
            *value = Some(span);
        }
        Ok(())
    }

    /// Makes a change. On an error there is none.
    pub(super) fn all_or_nothing<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        let (values, length) = (self.values, self.memory.length());
        change(self).inspect_err(|_| {
            self.values = values;
            self.memory.truncate(length);
        })
    }
}

const FULL: ParseError = ParseError { at: 0, problem: Problem::Full };

pub(super) fn no_nul(text: &[u8]) -> Result<(), ParseError> {
    match text.iter().position(|byte| *byte == 0) {
        Some(at) => Err(ParseError { at, problem: Problem::Nul }),
        None => Ok(()),
    }
}

/// Shows `***` for what is secret.
impl<M: Output + AsRef<[u8]>> fmt::Debug for Settings<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (keyword, value) in self.iter() {
            map.entry(&keyword.name(), if keyword.is_secret() { &"***" } else { &value });
        }
        map.finish()
    }
}
