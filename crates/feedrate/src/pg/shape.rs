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
    Data,
}

impl Shape {
    /// Bytes that are read at once.
    pub(crate) const fn head(self) -> u32 {
        match self {
            Self::Text(_) | Self::Data => 0,
            Self::ResultFormat
            | Self::ParameterFormats
            | Self::ResultFormats
            | Self::ParameterTypes
            | Self::Values => 2,
            Self::Function | Self::Value => 4,
        }
    }
}

/// The fields of the messages that can be streamed. (`protocol-message-formats.html`)
pub(crate) const fn backend_shapes(tag: u8) -> Option<&'static [Shape]> {
    match tag {
        DataRow::TAG => Some(&[Shape::Values]),
        CopyData::TAG => Some(&[Shape::Data]),
        FunctionCallResponse::TAG => Some(&[Shape::Value]),
        _ => None,
    }
}

/// The same of the other direction.
pub(crate) const fn frontend_shapes(tag: u8) -> Option<&'static [Shape]> {
    use Shape::{
        Data, Function, ParameterFormats, ParameterTypes, ResultFormat, ResultFormats, Text, Values,
    };
    match tag {
        Bind::TAG => {
            Some(&[Text(Part::Portal), Text(Part::Statement), ParameterFormats, Values, ResultFormats])
        }
        CopyData::TAG => Some(&[Data]),
        FunctionCall::TAG => Some(&[Function, ParameterFormats, Values, ResultFormat]),
        Parse::TAG => Some(&[Text(Part::Statement), Text(Part::Sql), ParameterTypes]),
        Query::TAG => Some(&[Text(Part::Sql)]),
        _ => None,
    }
}
