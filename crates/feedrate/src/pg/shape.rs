//! The fields of the messages that may be too long for any storage, as far as their shape goes.

use super::backend::{CopyData, DataRow, FunctionCallResponse};
use super::frontend::{Bind, FunctionCall, Parse, Query};
use super::stream::Part;

/// A field, as far as its shape decides how it is read.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Up to a NUL.
    Text(Part),
    Function,
    ResultFormat,
    ParameterFormats,
    ResultFormats,
    ParameterTypes,
    Values,
    /// One value that is not counted.
    Value,
    /// Whatever is left.
    Rest(Part),
}

impl Shape {
    /// Bytes that are read at once.
    pub(crate) const fn head(self) -> u32 {
        match self {
            Self::Text(_) | Self::Rest(_) => 0,
            Self::ResultFormat
            | Self::ParameterFormats
            | Self::ResultFormats
            | Self::ParameterTypes
            | Self::Values => 2,
            Self::Function | Self::Value => 4,
        }
    }
}

/// A message whose fields are not told apart.
const OPAQUE: &[Shape] = &[Shape::Rest(Part::Body)];

/// The fields of the messages, as far as they are told apart. (`protocol-message-formats.html`)
pub(crate) const fn backend_shapes(tag: u8) -> &'static [Shape] {
    match tag {
        DataRow::TAG => &[Shape::Values],
        CopyData::TAG => &[Shape::Rest(Part::Data)],
        FunctionCallResponse::TAG => &[Shape::Value],
        _ => OPAQUE,
    }
}

/// The same of the other direction.
pub(crate) const fn frontend_shapes(tag: u8) -> &'static [Shape] {
    use Shape::{
        Function, ParameterFormats, ParameterTypes, Rest, ResultFormat, ResultFormats, Text, Values,
    };
    match tag {
        Bind::TAG => &[Text(Part::Portal), Text(Part::Statement), ParameterFormats, Values, ResultFormats],
        CopyData::TAG => &[Rest(Part::Data)],
        FunctionCall::TAG => &[Function, ParameterFormats, Values, ResultFormat],
        Parse::TAG => &[Text(Part::Statement), Text(Part::Sql), ParameterTypes],
        Query::TAG => &[Text(Part::Sql)],
        _ => OPAQUE,
    }
}
