//! How a message that may be too long for any storage is cut into pieces: the shapes of its fields.

/// What is needed of a field to find its beginning and end.
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
    /// After a NUL.
    Text,
    Int16,
    Int32,
    /// A count, and that many items of `size` bytes.
    Array {
        size: u32,
    },
    /// A count, and that many values, each after its length.
    Values,
    /// One value, without a count.
    Value,
    /// At the end of the message.
    Rest,
}

/// Which field it is: determines its [`Part`](super::stream::Part).
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
    /// Bytes at the field's beginning that are read at once.
    pub(crate) const fn head(self) -> u32 {
        match self.kind {
            Kind::Text | Kind::Rest => 0,
            Kind::Int16 | Kind::Array { .. } | Kind::Values => 2,
            Kind::Int32 | Kind::Value => 4,
        }
    }

    /// The shapes of a message with this many fields: one for each if they have labels, else one for the whole body.
    pub(crate) const fn all(fields: usize, labelled: &'static [Self]) -> &'static [Self] {
        if labelled.is_empty() {
            return Self::OPAQUE;
        }
        // Evaluated at compile time: this is only called for constants.
        assert!(labelled.len() == fields, "either all fields of a message have labels, or none has");
        labelled
    }

    /// A message whose fields are not distinguished.
    pub(crate) const OPAQUE: &'static [Self] = &[Self { kind: Kind::Rest, label: Label::Body }];
}
