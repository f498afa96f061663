//! What the words of a command mean, one after the other.

use crate::digits::number;
use crate::names::{Place, Value};

/// The words of a command that have not been looked at.
pub(crate) struct Words<'a> {
    pub(crate) rest: Vec<&'a str>,
}

impl<'a> Words<'a> {
    pub(crate) fn next(&mut self, what: &str) -> Result<&'a str, String> {
        if self.rest.is_empty() { Err(format!("{what} is missing")) } else { Ok(self.rest.remove(0)) }
    }

    pub(crate) fn number<T: TryFrom<u64>>(&mut self, what: &str) -> Result<T, String> {
        let word = self.next(what)?;
        let number = number(word).and_then(|number| T::try_from(number).ok());
        number
            .ok_or_else(|| format!("{word:?} is no {what}: expected a number of {} bits", 8 * size_of::<T>()))
    }

    pub(crate) fn optional<T: TryFrom<u64>>(&mut self, what: &str) -> Result<Option<T>, String> {
        if self.rest.is_empty() { Ok(None) } else { self.number(what).map(Some) }
    }

    /// Whether a word is there. It is taken away.
    pub(crate) fn flag(&mut self, flag: &str) -> bool {
        let at = self.rest.iter().position(|word| *word == flag);
        at.is_some_and(|at| self.rest.remove(at) == flag)
    }

    /// The word behind a word. Both are taken away.
    pub(crate) fn option(&mut self, option: &str) -> Result<Option<&'a str>, String> {
        let Some(at) = self.rest.iter().position(|word| *word == option) else { return Ok(None) };
        self.rest.remove(at);
        if at < self.rest.len() {
            Ok(Some(self.rest.remove(at)))
        } else {
            Err(format!("{option} needs a value"))
        }
    }

    /// The number behind a word. Both are taken away.
    pub(crate) fn option_number<T: TryFrom<u64>>(&mut self, option: &str) -> Result<Option<T>, String> {
        let word = self.option(option)?;
        word.map(|word| Words { rest: vec![word] }.number(option)).transpose()
    }

    pub(crate) fn place(&mut self) -> Result<Place, String> {
        let word = self.next("ADDR")?;
        Place::parse(word).ok_or_else(|| format!("{word:?} is no address, nor a name"))
    }

    /// What is to be put at a place. What is wrong with it, whatever is there, is said now.
    pub(crate) fn value(&mut self, place: &Place, size: Option<usize>) -> Result<Value, String> {
        let value = Value { text: self.next("VALUE")?.into(), size };
        match place {
            // There is no variable that could say how it is meant.
            Place::At(_) => value.bytes(None).map(|_| value),
            Place::Named(..) => Ok(value),
        }
    }

    /// Nanometres, or millimetres with a decimal point.
    pub(crate) fn position(&mut self) -> Result<i64, String> {
        let word = self.next("POSITION")?;
        let position = match word.strip_suffix("mm") {
            None => word.parse().ok(),
            Some(millimetres) => {
                let (whole, part) = millimetres.split_once('.').unwrap_or((millimetres, ""));
                let digits = format!("{whole}{part:0<6}");
                if part.len() <= 6 { digits.parse().ok() } else { None }
            }
        };
        position.ok_or_else(|| {
            format!("{word:?} is no POSITION: expected nanometres, or millimetres as in 12.5mm")
        })
    }

    pub(crate) fn choice<T: Copy>(&mut self, what: &str, choices: &[(&str, T)]) -> Result<T, String> {
        let word = self.next(what)?;
        let found = choices.iter().find(|(name, _)| *name == word);
        found.map(|(_, choice)| *choice).ok_or_else(|| format!("{word:?} is not {what}"))
    }
}
