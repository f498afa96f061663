//! CommandComplete, and its tag.

use super::message;
use crate::pg::text::Text;

message! {
    /// A command was carried out.
    ///
    /// ```
    /// use feedrate::pg::backend::CommandComplete;
    ///
    /// let insert = CommandComplete { tag: "INSERT 0 5".into() };
    /// assert_eq!(insert.command(), "INSERT");
    /// assert_eq!(insert.rows(), Some(5));
    ///
    /// let create = CommandComplete { tag: "CREATE TABLE".into() };
    /// assert_eq!(create.command(), "CREATE TABLE");
    /// assert_eq!(create.rows(), None);
    /// ```
    #[derive(Default)]
    pub struct CommandComplete<'a> = b'C', backend(Short) {
        /// The tag, as it is on the wire.
        pub tag: Text<'a>,
    }
}

impl<'a> CommandComplete<'a> {
    /// The command, without the numbers after it.
    pub fn command(&self) -> Text<'a> {
        let (mut words, rows) = split_number(self.tag.as_bytes());
        if rows.is_some() {
            words = split_number(words).0;
        }
        Text::from(words)
    }

    /// How many rows were inserted, deleted, updated, merged, selected, moved over, fetched or copied; `None` for other
    /// commands.
    pub fn rows(&self) -> Option<u64> {
        split_number(self.tag.as_bytes()).1
    }

    /// The number before the number of rows in `INSERT oid rows`: always 0 since tables have no object identifiers.
    pub fn oid(&self) -> Option<u64> {
        let (words, rows) = split_number(self.tag.as_bytes());
        rows.and(split_number(words).1)
    }
}

/// Takes a last word off the end if it is a number.
fn split_number(tag: &[u8]) -> (&[u8], Option<u64>) {
    let number = memchr::memrchr(b' ', tag).and_then(|space| {
        let (words, number) = tag.split_at_checked(space)?;
        let digits = number.get(1..).filter(|digits| !digits.is_empty())?;
        let value = digits.iter().try_fold(0_u64, |value, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            value.checked_mul(10)?.checked_add(u64::from(digit))
        })?;
        Some((words, Some(value)))
    });
    number.unwrap_or((tag, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        for (tag, command, rows, oid) in [
            ("SELECT 3", "SELECT", Some(3), None),
            ("INSERT 0 18446744073709551615", "INSERT", Some(u64::MAX), Some(0)),
            ("COPY 18446744073709551616", "COPY 18446744073709551616", None, None),
            ("START_REPLICATION", "START_REPLICATION", None, None),
            ("CREATE TABLE ", "CREATE TABLE ", None, None),
            ("UPDATE -1", "UPDATE -1", None, None),
            ("", "", None, None),
            ("7", "7", None, None),
        ] {
            let message = CommandComplete { tag: tag.into() };
            assert_eq!(
                (message.command(), message.rows(), message.oid()),
                (command.into(), rows, oid),
                "{tag:?}"
            );
        }
    }
}
