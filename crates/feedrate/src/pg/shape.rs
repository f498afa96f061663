//! How a message that may be too long for any storage is cut: the shapes of its fields.

/// A field, as far as it matters where it begins and ends.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub(crate) kind: Kind,
    pub(crate) label: Label,
}

/// A message that can come in pieces.
pub(crate) trait Shaped {
    const SHAPES: &'static [Shape];
}

/// How a field ends. It follows from the field's type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Behind a NUL.
    Text,
    Int16,
    Int32,
    /// A number of items, and items of `size` bytes.
    Array {
        size: u32,
    },
    /// A number of values, each behind its length.
    Values,
    /// One value that is not counted.
    Value,
    /// With the message.
    Rest,
}

/// Which field it is: what a [`Part`](super::stream::Part) is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Label {
    Portal,
    Statement,
    Sql,
    Function,
    ParameterFormats,
    ResultFormats,
    ResultFormat,
    ParameterTypes,
    Values,
    Data,
    Body,
}

impl Shape {
    /// Bytes that are read at once.
    pub(crate) const fn head(self) -> u32 {
        match self.kind {
            Kind::Text | Kind::Rest => 0,
            Kind::Int16 | Kind::Array { .. } | Kind::Values => 2,
            Kind::Int32 | Kind::Value => 4,
        }
    }

    /// Those of a message of so many fields: of each, if they have labels, or else of the whole body.
    pub(crate) const fn all(fields: usize, labelled: &'static [Self]) -> &'static [Self] {
        if labelled.is_empty() {
            return Self::OPAQUE;
        }
        // While compiling: this is only called for constants.
        assert!(labelled.len() == fields, "either all fields of a message have labels, or none has");
        labelled
    }

    /// A message whose fields are not told apart.
    pub(crate) const OPAQUE: &'static [Self] = &[Self { kind: Kind::Rest, label: Label::Body }];
}
