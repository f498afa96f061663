//! Messages longer than the storage, in pieces and in constant memory: [`Streaming`].

use core::fmt;

use super::cap::width;
use super::error::{Error, Problem};
use super::format::Format;
use super::frame::{Direction, Frame, HEADER, Kind as FrameKind};
use super::reader::{Bad, Reader};
use super::shape::{Kind, Label, Shape};
use crate::protocol::{Extent, Protocol};
use crate::scan::find;

/// A direction whose long messages come in pieces. Each [`Event`] indicates where in the message it belongs.
///
/// Messages that fit into the storage come whole, wherever their bytes lie. Longer ones come in pieces. Those of kinds
/// that are often long are read field by field: DataRow, CopyData, FunctionCallResponse; Bind, Query, Parse,
/// FunctionCall. The body of any other message comes as it is ([`Part::Body`]). The storage needs only five bytes, for
/// a header that is cut in two. (Before the end of authentication nothing is streamed: messages that do not fit are
/// refused alone.)
///
/// ```
/// use feedrate::{Array, Decoder, Encode, pg::{Backend, List, backend::DataRow, stream::{Event, Part, Streaming}}};
///
/// let long = vec![b'x'; 100_000];
/// let mut row = Vec::new();
/// DataRow { columns: List::from(&[Some(&b"1"[..]), Some(&long), None]) }.encode(&mut row)?;
///
/// let mut decoder = Decoder::new(Streaming::new(Backend::established()), Array::<256>::new());
/// let (mut bytes, mut columns) = (0, 0);
/// for mut chunk in row.chunks(1460) {
///     while let Some(event) = decoder.feed(&mut chunk)? {
///         match event {
///             Event::Whole(frame) => println!("{}", frame.name()),
///             Event::Part(Part::Value { length, .. }) => columns += usize::from(length.is_some()),
///             Event::Bytes(piece) => bytes += piece.len(),
///             Event::Begin(_) | Event::Part(_) | Event::End => {}
///         }
///     }
/// }
/// assert_eq!((columns, bytes), (2, 100_001));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Streaming<D> {
    direction: D,
    body: Option<Body>,
}

/// What a [`Streaming`] decoder returns. A long message is one `Begin`; then for each field a `Part`, followed by its
/// `Bytes` in any number of pieces; then `End`. A message that turns out to be malformed ends with an error instead.
/// The rest of it is skipped, and the next message follows.
// Exhaustive: whoever puts a message together from these has to handle each.
pub enum Event<'a, D> {
    /// A message that fits into the storage.
    Whole(Frame<'a, D>),
    /// A long message begins.
    Begin(Begin),
    /// A field of it begins.
    Part(Part),
    /// The next bytes of that field, at least one. They are cut wherever the input was.
    Bytes(&'a [u8]),
    /// The message is complete, to the last byte of its frame.
    End,
}

/// The head of a long message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Begin {
    /// The type byte.
    pub tag: u8,
    /// The value of its length field, which includes itself and the body.
    pub length: u32,
}

impl Begin {
    /// The five bytes as received, for a proxy that forwards them.
    pub fn raw(&self) -> [u8; HEADER] {
        let [a, b, c, d] = self.length.to_be_bytes();
        [self.tag, a, b, c, d]
    }
}

/// A field of a long message. Fields of fixed size are complete; the bytes of the others follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
// Exhaustive: as `Event`.
pub enum Part {
    /// The portal's name, of Bind. Bytes follow, without the NUL.
    Portal,
    /// The statement's name, of Bind and Parse. Bytes follow, without the NUL.
    Statement,
    /// The SQL, of Query and Parse. Bytes follow, without the NUL.
    Sql,
    /// The function, of FunctionCall.
    Function(u32),
    /// How parameters or arguments are represented. Bytes follow: an Int16 for each.
    ParameterFormats {
        /// How many.
        count: u16,
    },
    /// How result columns are to be represented. Bytes follow: an Int16 for each.
    ResultFormats {
        /// How many.
        count: u16,
    },
    /// How the result is to be represented, of FunctionCall.
    ResultFormat(Format),
    /// Types of parameters, of Parse. Bytes follow: an Int32 for each.
    ParameterTypes {
        /// How many.
        count: u16,
    },
    /// Columns, parameters or arguments. Each follows as a [`Value`](Self::Value).
    Values {
        /// How many.
        count: u16,
    },
    /// One of them. Bytes follow.
    Value {
        /// Its index, counted from 0.
        index: u16,
        /// How many bytes; `None` for NULL.
        length: Option<u32>,
    },
    /// The data, of CopyData. Bytes follow, up to the end of the message.
    Data,
    /// The body of any other message, not divided into fields. Bytes follow, up to the end of the message.
    Body,
}

impl Part {
    /// The part for a field. `number` is the number that the field begins with, if any.
    fn new(label: Label, number: u32) -> Self {
        let [_, _, a, b] = number.to_be_bytes();
        let count = u16::from_be_bytes([a, b]);
        match label {
            Label::Portal => Self::Portal,
            Label::Statement => Self::Statement,
            Label::Sql => Self::Sql,
            Label::Function => Self::Function(number),
            Label::ParameterFormats => Self::ParameterFormats { count },
            Label::ResultFormats => Self::ResultFormats { count },
            Label::ResultFormat => Self::ResultFormat(Format(i16::from_be_bytes([a, b]))),
            Label::ParameterTypes => Self::ParameterTypes { count },
            Label::Values => Self::Values { count },
            Label::Data => Self::Data,
            Label::Body => Self::Body,
        }
    }
}

/// A message that is being streamed.
#[derive(Debug, Clone, Copy)]
struct Body {
    name: &'static str,
    /// Bytes of the whole message.
    total: u32,
    /// Bytes of it that have not been taken. No step goes beyond them, so a field cannot exceed its frame.
    left: u32,
    /// Fields that have not begun.
    shapes: &'static [Shape],
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The next field begins, or the message ends.
    Next,
    /// The bytes of a string; its NUL is read together with the head of the next field.
    Text,
    /// This many bytes of the field.
    Bytes(u32),
    /// The length of the value at `index`.
    Length { index: u16, count: u16 },
    /// This many bytes of the value at `index`.
    Value { index: u16, count: u16, left: u32 },
    /// The rest of a message that turned out to be bad.
    Bad,
}

impl<D> Streaming<D> {
    /// Streams what `direction` finds.
    pub const fn new(direction: D) -> Self {
        Self { direction, body: None }
    }

    /// The direction.
    pub const fn direction(&self) -> &D {
        &self.direction
    }

    /// The direction, so that it can be told what the bytes alone do not show.
    pub const fn direction_mut(&mut self) -> &mut D {
        &mut self.direction
    }
}

impl Body {
    fn extent(&self, head: &[u8]) -> Extent {
        let within = head.get(..width(self.left)).unwrap_or(head);
        match self.step {
            Step::Next => Extent::Message(width(self.next_head())),
            Step::Text => match find(0, within) {
                Some(0) => Extent::Message(width(self.next_head()).saturating_add(1).min(width(self.left))),
                Some(at) => Extent::Piece(at),
                None if self.left == 0 => Extent::Message(0),
                None => Extent::Piece(within.len()),
            },
            Step::Bytes(left) | Step::Value { left, .. } => Extent::Piece(width(left)),
            Step::Length { .. } => Extent::Message(width(if self.left < 4 { 0 } else { 4 })),
            Step::Bad => Extent::Skip(width(self.left)),
        }
    }

    /// Bytes of the next field that are read at once. 0 if the message is too short for them, so that reading fails.
    fn next_head(&self) -> u32 {
        self.shapes.first().map_or(0, |shape| shape.head()).min(self.left)
    }

    /// Takes a frame of the length that `extent` returned.
    fn take<'a, D>(&mut self, frame: &'a [u8]) -> Result<Event<'a, D>, Problem> {
        let mut reader = Reader::new(frame);
        self.event(frame, &mut reader).map_err(|_| reader.problem())
    }

    fn event<'a, D>(&mut self, frame: &'a [u8], reader: &mut Reader<'a>) -> Result<Event<'a, D>, Bad> {
        let taken = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        self.left = self.left.saturating_sub(taken);
        match self.step {
            Step::Text => {
                if let Some(1..) = frame.first() {
                    return Ok(Event::Bytes(frame));
                }
                if frame.is_empty() {
                    return Err(reader.bad(Problem::Unterminated));
                }
                reader.u8("NUL")?;
                self.begin(reader)
            }
            Step::Next => self.begin(reader),
            Step::Bytes(left) => {
                let left = left.saturating_sub(taken);
                self.step = if left == 0 { Step::Next } else { Step::Bytes(left) };
                Ok(Event::Bytes(frame))
            }
            Step::Length { index, count } => self.begin_value(reader, index, count),
            Step::Value { index, count, left } => {
                let left = left.saturating_sub(taken);
                self.step = if left == 0 { after(index, count) } else { Step::Value { index, count, left } };
                Ok(Event::Bytes(frame))
            }
            // Unreachable: `extent` has the rest skipped.
            Step::Bad => Ok(Event::End),
        }
    }

    /// Begins the next field, whose head is in `reader`, or ends the message.
    fn begin<'a, D>(&mut self, reader: &mut Reader<'a>) -> Result<Event<'a, D>, Bad> {
        let Some((shape, shapes)) = self.shapes.split_first() else {
            return match self.left {
                0 => Ok(Event::End),
                left => Err(reader.bad(Problem::Trailing(width(left)))),
            };
        };
        let (number, step) = match shape.kind {
            Kind::Text => (0, Step::Text),
            // At least one byte: a message without a body is not streamed.
            Kind::Rest => (0, Step::Bytes(self.left)),
            Kind::Int16 => (reader.u16("number")?.into(), Step::Next),
            Kind::Int32 => (reader.u32("number")?, Step::Next),
            Kind::Array { size } => {
                let count = reader.u16("count")?;
                (count.into(), array(count, size))
            }
            Kind::Values => {
                let count = reader.u16("count")?;
                let step = if count == 0 { Step::Next } else { Step::Length { index: 0, count } };
                (count.into(), step)
            }
            Kind::Value => {
                self.shapes = shapes;
                return self.begin_value(reader, 0, 1);
            }
        };
        self.shapes = shapes;
        if let Step::Bytes(needed) = step {
            self.require(reader, needed, "array")?;
        }
        self.step = step;
        Ok(Event::Part(Part::new(shape.label, number)))
    }

    fn begin_value<'a, D>(
        &mut self,
        reader: &mut Reader<'a>,
        index: u16,
        count: u16,
    ) -> Result<Event<'a, D>, Bad> {
        let found = reader.i32("value length")?;
        let length = match u32::try_from(found) {
            Ok(length) => Some(length),
            Err(_) if found == -1 => None,
            Err(_) => {
                let expected = "-1 for NULL, or 0 and more";
                return Err(reader.bad(Problem::Negative { what: "value length", found, expected }));
            }
        };
        self.require(reader, length.unwrap_or(0), "value")?;
        self.step = match length {
            Some(left @ 1..) => Step::Value { index, count, left },
            _ => after(index, count),
        };
        Ok(Event::Part(Part::Value { index, length }))
    }

    /// Refuses a claimed length that goes beyond the message, before any of the field has come.
    fn require(&self, reader: &mut Reader<'_>, needed: u32, what: &'static str) -> Result<(), Bad> {
        if needed > self.left {
            return Err(reader.bad(Problem::Short { what, needed: width(needed), left: width(self.left) }));
        }
        Ok(())
    }
}

/// The step after the value at `index`.
const fn after(index: u16, count: u16) -> Step {
    let index = index.saturating_add(1);
    if index < count { Step::Length { index, count } } else { Step::Next }
}

/// The step for an array of fixed elements.
fn array(count: u16, size: u32) -> Step {
    if count == 0 { Step::Next } else { Step::Bytes(u32::from(count).saturating_mul(size)) }
}

impl<D> Protocol for Streaming<D>
where
    D: Direction + for<'a> Protocol<Bytes<'a> = &'a [u8], Message<'a> = Frame<'a, D>, Error = Error>,
{
    type Bytes<'a> = &'a [u8];
    type Message<'a> = Event<'a, D>;
    type Error = Error;

    #[inline]
    fn extent(&self, head: &[u8]) -> Result<Extent, Error> {
        match &self.body {
            None => self.direction.extent(head),
            Some(body) => Ok(body.extent(head)),
        }
    }

    fn check(&self, frame: &[u8]) -> Result<(), Error> {
        if self.body.is_some() { Ok(()) } else { self.direction.check(frame) }
    }

    #[inline]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        if self.body.is_some() { None } else { self.direction.glance(head) }
    }

    #[inline]
    fn quick<'a>(&mut self, raw: Self::Bytes<'a>) -> Result<Event<'a, D>, Error> {
        self.direction.quick(raw).map(Event::Whole)
    }

    fn scan(&mut self, so_far: &[u8], from: usize) -> Result<(), Error> {
        self.direction.scan(so_far, from)
    }

    #[inline]
    fn parse<'a>(&mut self, raw: Self::Bytes<'a>) -> Result<Event<'a, D>, Error> {
        if let Some(body) = &mut self.body {
            let at = width(body.total.saturating_sub(body.left));
            return match body.take(raw) {
                Ok(Event::End) => {
                    self.body = None;
                    Ok(Event::End)
                }
                Ok(event) => Ok(event),
                Err(problem) => {
                    let error = Error::new(body.name, at, problem);
                    body.step = Step::Bad;
                    if body.left == 0 {
                        self.body = None;
                    }
                    Err(error)
                }
            };
        }
        // If this is a whole message of five bytes, its length is 4 and there is nothing to stream.
        if let &[tag, a, b, c, d] = raw {
            let length = u32::from_be_bytes([a, b, c, d]);
            if let (5.., Some(shapes)) = (length, self.direction.shapes(tag)) {
                let name = D::name(&Frame::new(raw, tag, FrameKind::Tagged));
                let (total, left) = (length.saturating_add(1), length.saturating_sub(4));
                self.body = Some(Body { name, total, left, shapes, step: Step::Next });
                return Ok(Event::Begin(Begin { tag, length }));
            }
        }
        self.direction.parse(raw).map(Event::Whole)
    }

    fn head(&self, head: &[u8], _: usize) -> Option<usize> {
        let tag = *head.first()?;
        self.direction.shapes(tag).map(|_| HEADER)
    }

    fn inside(&self) -> bool {
        self.body.is_some()
    }

    fn skipped(&mut self, n: usize) {
        if let Some(body) = &mut self.body {
            body.left = body.left.saturating_sub(u32::try_from(n).unwrap_or(u32::MAX));
            if body.left == 0 {
                self.body = None;
            }
        } else {
            self.direction.skipped(n);
        }
    }

    fn reset(&mut self) {
        self.body = None;
        self.direction.reset();
    }
}

impl<D> Clone for Event<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Event<'_, D> {}

impl<D> PartialEq for Event<'_, D> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a == b,
            (Self::Begin(a), Self::Begin(b)) => a == b,
            (Self::Part(a), Self::Part(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::End, Self::End) => true,
            _ => false,
        }
    }
}

impl<D: Direction> fmt::Debug for Event<'_, D> {
    /// Shows the number of bytes only: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(frame) => f.debug_tuple("Whole").field(frame).finish(),
            Self::Begin(begin) => f.debug_tuple("Begin").field(begin).finish(),
            Self::Part(part) => f.debug_tuple("Part").field(part).finish(),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::End => f.write_str("End"),
        }
    }
}
