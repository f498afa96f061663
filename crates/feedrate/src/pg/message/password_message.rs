//! PasswordMessage: a password, possibly hashed.

use core::fmt;

use super::message;
use crate::pg::form::{Form, Name};
use crate::pg::reader::{Bad, Reader};
use crate::pg::text::{Secret, Text};
use crate::pg::trace::Printer;
use crate::pg::write::Sink;

message! {
    /// A password, in clear or hashed with the server's salt.
    #[derive(Default)]
    pub struct PasswordMessage<'a> = b'p', frontend(Answer) {
        /// Without its NUL.
        pub password: Secret<'a> as Password,
    }
}

/// A secret string.
struct Password;

impl<'a> Form<'a, Secret<'a>> for Password {
    fn read(reader: &mut Reader<'a>, _: &Name) -> Result<Secret<'a>, Bad> {
        Ok(Secret::from(reader.text()?.as_bytes()))
    }

    fn write<S: Sink>(password: Secret<'a>, out: &mut S, what: &'static str) {
        out.text(Text::from(password.expose()), what)
    }

    fn trace(_: Secret<'a>, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.text("SSSS".into())
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Secret<'a>> {
        Ok(Secret::from(u.arbitrary::<Text<'a>>()?.as_bytes()))
    }
}
