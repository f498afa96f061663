//! Portals, and how the values of their rows are represented.

use feedrate::pg::frontend::{Bind, Execute};
use feedrate::pg::{Format, Text};
use feedrate::{Encode, EncodeError, Output};

/// How the values of a result's rows are represented.
///
/// Bind decides that. The description of a *statement* says text for all columns, because it does not know yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Formats {
    /// All values are text.
    #[default]
    Text,
    /// All values are binary.
    Binary,
    /// The columns differ, or the client was not told: the list is the one of the portal's Bind.
    Mixed,
}

impl Formats {
    /// The formats of a list, as it is in Bind or RowDescription: none is text.
    pub fn of(list: impl IntoIterator<Item = Format>) -> Self {
        let mut all = None;
        for format in list {
            let one = match format {
                Format::TEXT => Self::Text,
                Format::BINARY => Self::Binary,
                _ => Self::Mixed,
            };
            if all.is_some_and(|all| all != one) {
                return Self::Mixed;
            }
            all = Some(one);
        }
        all.unwrap_or_default()
    }

    pub(super) const fn note(self) -> u8 {
        match self {
            Self::Text => 0,
            Self::Binary => 1,
            Self::Mixed => 2,
        }
    }

    pub(super) const fn noted(note: u8) -> Self {
        match note {
            0 => Self::Text,
            1 => Self::Binary,
            _ => Self::Mixed,
        }
    }
}

/// What a Bind makes: the portal's name, and the formats of its rows, to be executed once or, as a cursor, in parts.
///
/// ```
/// use feedrate::pg::{Format, List, frontend::Bind};
/// use feedrate_pg::client::{Formats, Portal};
///
/// let bind = Bind { result_formats: List::from(&[Format::BINARY]), ..Bind::default() };
/// let portal = Portal::of(&bind);
/// assert_eq!(portal.formats, Formats::Binary);
/// let part = portal.execute(100); // to be sent: at most 100 rows
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Portal<'a> {
    /// Its name, empty for the unnamed one.
    pub name: Text<'a>,
    /// How its rows are represented.
    pub formats: Formats,
}

impl<'a> Portal<'a> {
    /// The portal that this Bind makes.
    pub fn of(bind: &Bind<'a>) -> Self {
        Self { name: bind.portal, formats: Formats::of(bind.result_formats.iter()) }
    }

    /// An Execute for at most `max_rows` rows, or for all of them if that is 0.
    pub const fn execute(&self, max_rows: i32) -> ExecutePortal<'a> {
        ExecutePortal { execute: Execute { portal: self.name, max_rows }, formats: self.formats }
    }
}

/// An Execute that knows the formats of its rows: [`Portal::execute`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ExecutePortal<'a> {
    execute: Execute<'a>,
    pub(super) formats: Formats,
}

impl Encode for ExecutePortal<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        self.execute.write(out)
    }
}
