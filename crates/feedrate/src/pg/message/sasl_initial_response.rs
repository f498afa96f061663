//! SASLInitialResponse: the choice of a SASL mechanism.

use core::fmt;

use super::message;
use crate::pg::form::{Form, Name};
use crate::pg::reader::{Bad, Reader};
use crate::pg::text::{Secret, Text};
use crate::pg::trace::Printer;
use crate::pg::write::Sink;

message! {
    /// The mechanism that the frontend chose, and its first message.
    ///
    /// ```
    /// use feedrate::{Encode, pg::{Secret, frontend::SASLInitialResponse}};
    ///
    /// let data = Some(Secret::from(&b"n,,n=,r=abc"[..]));
    /// let mut out = Vec::new();
    /// SASLInitialResponse { mechanism: "SCRAM-SHA-256".into(), data }.encode(&mut out)?;
    /// assert_eq!(out, b"p\0\0\0\x21SCRAM-SHA-256\0\0\0\0\x0bn,,n=,r=abc");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    #[derive(Default)]
    pub struct SASLInitialResponse<'a> = b'p', frontend(Answer) {
        /// One of the mechanisms that the server offered.
        pub mechanism: Text<'a>,
        /// The mechanism's first message, if it begins with one.
        pub data: Option<Secret<'a>>,
    }
}

/// After its length; -1 is `None`.
impl<'a> Form<'a, Self> for Option<Secret<'a>> {
    fn read(reader: &mut Reader<'a>, _: &Name) -> Result<Self, Bad> {
        Ok(reader.value()?.map(Secret::from))
    }

    fn write<S: Sink>(secret: Self, out: &mut S, _: &'static str) {
        out.value(secret.map(Secret::expose))
    }

    fn trace(secret: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
        match secret {
            Some(secret) => {
                out.number(secret.expose().len())?;
                out.hidden()
            }
            None => out.number(-1),
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        u.arbitrary()
    }
}
