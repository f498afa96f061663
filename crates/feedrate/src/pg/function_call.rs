//! FunctionCall and FunctionCallResponse: a function called by its object identifier.

use super::format::Format;
use super::list::List;
use super::message::{Body, tagged};
use super::reader::{Bad, Reader};
use super::write::{Sink, put_value};

/// Calls a function without SQL. The documentation advises against it; libpq's large objects are still made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct FunctionCall<'a> {
    /// The function's object identifier.
    pub function: u32,
    /// How the arguments are represented: none, one for all, or one each.
    pub argument_formats: List<'a, Format>,
    /// The arguments' values.
    pub arguments: List<'a, Option<&'a [u8]>>,
    /// How the result shall be represented.
    pub result_format: Format,
}

tagged!(FunctionCall<'_>, b'F', Frontend);

impl<'a> Body<'a> for FunctionCall<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let function = reader.u32("function")?;
        let count = reader.u16("number of argument formats")?;
        let argument_formats = List::read(reader, count, "argument formats")?;
        let count = reader.u16("number of arguments")?;
        let arguments = List::read(reader, count, "arguments")?;
        let result_format = Format(reader.i16("result format")?);
        Ok(Self { function, argument_formats, arguments, result_format })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        out.put(&self.function.to_be_bytes());
        self.argument_formats.write_counted(out, "FunctionCall argument formats");
        self.arguments.write_counted(out, "FunctionCall arguments");
        out.put(&self.result_format.0.to_be_bytes())
    }
}

/// What the function returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct FunctionCallResponse<'a> {
    /// The value, `None` for NULL.
    pub value: Option<&'a [u8]>,
}

tagged!(FunctionCallResponse<'_>, b'V', Backend);

impl<'a> Body<'a> for FunctionCallResponse<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { value: reader.value()? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        put_value(out, self.value)
    }
}
