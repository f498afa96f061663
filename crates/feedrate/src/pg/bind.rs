//! Bind: values for a prepared statement's parameters.

use super::format::Format;
use super::list::List;
use super::message::{Body, tagged};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::write::{Sink, put_text};

/// Makes a portal from a prepared statement and values for its parameters.
///
/// A list of formats is empty (all text), has one element (for all), or one for each parameter or result column. How many there are
/// is the server's to check, who knows the statement.
///
/// ```
/// use feedrate::{Encode, pg::{Format, List, frontend::Bind}};
///
/// let parameters = [Some(&b"42"[..]), None];
/// let bind = Bind {
///     portal: "".into(),
///     statement: "s1".into(),
///     parameter_formats: List::EMPTY,
///     parameters: List::from(&parameters),
///     result_formats: List::from(&[Format::BINARY]),
/// };
/// let mut out = Vec::new();
/// bind.encode(&mut out)?;
/// assert_eq!(out, b"B\0\0\0\x1a\0s1\0\0\0\0\x02\0\0\0\x0242\xff\xff\xff\xff\0\x01\0\x01");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Bind<'a> {
    /// The name of the portal to be made, empty for the unnamed one.
    pub portal: Text<'a>,
    /// The name of the prepared statement.
    pub statement: Text<'a>,
    /// How the parameters are represented.
    pub parameter_formats: List<'a, Format>,
    /// The parameters' values.
    pub parameters: List<'a, Option<&'a [u8]>>,
    /// How the result columns shall be represented.
    pub result_formats: List<'a, Format>,
}

tagged!(Bind<'_>, b'B', Frontend);

impl<'a> Body<'a> for Bind<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let portal = reader.text()?;
        let statement = reader.text()?;
        let count = reader.u16("number of parameter formats")?;
        let parameter_formats = List::read(reader, count, "parameter formats")?;
        let count = reader.u16("number of parameters")?;
        let parameters = List::read(reader, count, "parameters")?;
        let count = reader.u16("number of result formats")?;
        let result_formats = List::read(reader, count, "result formats")?;
        Ok(Self { portal, statement, parameter_formats, parameters, result_formats })
    }

    #[inline]
    fn write<S: Sink>(&self, out: &mut S) {
        Self::write_head(out, self.portal, self.statement, self.parameter_formats);
        self.parameters.write_counted(out, "Bind parameters");
        Self::write_tail(out, self.result_formats)
    }
}

/// What [`BindWriter`](super::writer::BindWriter) writes too.
impl Bind<'_> {
    /// The fields in front of the parameters.
    #[inline]
    pub(crate) fn write_head<S: Sink>(
        out: &mut S,
        portal: Text<'_>,
        statement: Text<'_>,
        parameter_formats: List<'_, Format>,
    ) {
        put_text(out, portal, "Bind portal");
        put_text(out, statement, "Bind statement");
        parameter_formats.write_counted(out, "Bind parameter formats")
    }

    /// The field behind them.
    #[inline]
    pub(crate) fn write_tail<S: Sink>(out: &mut S, result_formats: List<'_, Format>) {
        result_formats.write_counted(out, "Bind result formats")
    }
}
