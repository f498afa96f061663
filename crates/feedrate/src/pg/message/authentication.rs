//! Authentication requests: all messages with the type byte `R`.

use core::fmt;

use super::macros::tagged;
use super::{Fields, Traced};
use crate::encode::EncodeError;
use crate::pg::answer::Answer;
use crate::pg::list::List;
use crate::pg::reader::{Bad, Reader};
use crate::pg::text::{Secret, Text};
use crate::pg::trace::Printer;
use crate::pg::write::Sink;

/// What the server asks for, or its confirmation.
///
/// ```
/// use feedrate::{Encode, pg::{List, backend::Authentication}};
///
/// let mechanisms = ["SCRAM-SHA-256".into()];
/// let mut out = Vec::new();
/// Authentication::Sasl { mechanisms: List::from(&mechanisms) }.encode(&mut out)?;
/// assert_eq!(out, b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Authentication<'a> {
    /// 0, AuthenticationOk: the authentication succeeded.
    Ok,
    /// 2, AuthenticationKerberosV5: no server has asked for it since 9.3.
    KerberosV5,
    /// 3, AuthenticationCleartextPassword.
    CleartextPassword,
    /// 5, AuthenticationMD5Password: `md5` and the hexadecimal MD5 of (the hexadecimal MD5 of password and user) and
    /// the salt.
    Md5Password {
        /// To be hashed with the password.
        salt: [u8; 4],
    },
    /// 7, AuthenticationGSS.
    Gss,
    /// 8, AuthenticationGSSContinue, of GSSAPI and SSPI.
    GssContinue {
        /// The mechanism's token.
        data: Secret<'a>,
    },
    /// 9, AuthenticationSSPI.
    Sspi,
    /// 10, AuthenticationSASL.
    Sasl {
        /// The server's mechanisms, in its order of preference.
        mechanisms: List<'a, Text<'a>>,
    },
    /// 11, AuthenticationSASLContinue.
    SaslContinue {
        /// The mechanism's challenge.
        data: Secret<'a>,
    },
    /// 12, AuthenticationSASLFinal.
    SaslFinal {
        /// The mechanism's outcome. With it, SCRAM servers prove that they know the password too.
        data: Secret<'a>,
    },
    /// Another code: one of those dropped before 7.4 (Kerberos 4, crypt, SCM), or a future one.
    Other {
        /// The code.
        code: u32,
        /// What follows it.
        data: Secret<'a>,
    },
}

tagged!(Authentication<'a> = b'R', backend(Authentication) [0, &[]]);

impl Authentication<'_> {
    /// How the frontend's next `p` message is to be read, for [`Frontend::expect`](crate::pg::Frontend::expect). `None`
    /// if none is due.
    ///
    /// A proxy uses [`Frame::answer`](crate::pg::backend::Frame::answer) instead: malformed requests are answered too.
    pub fn answer(&self) -> Option<Answer> {
        match self {
            Self::CleartextPassword | Self::Md5Password { .. } => Some(Answer::Password),
            Self::Gss | Self::Sspi | Self::GssContinue { .. } => Some(Answer::Gss),
            Self::Sasl { .. } => Some(Answer::SaslInitial),
            Self::SaslContinue { .. } => Some(Answer::Sasl),
            Self::KerberosV5 | Self::Other { .. } => Some(Answer::Unknown),
            Self::Ok | Self::SaslFinal { .. } => None,
        }
    }
}

impl<'a> Fields<'a> for Authentication<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(match reader.u32("code")? {
            0 => Self::Ok,
            2 => Self::KerberosV5,
            3 => Self::CleartextPassword,
            5 => Self::Md5Password { salt: reader.array("salt")? },
            7 => Self::Gss,
            8 => Self::GssContinue { data: Secret::from(reader.rest()) },
            9 => Self::Sspi,
            10 => Self::Sasl { mechanisms: List::read_terminated(reader, "mechanisms")? },
            11 => Self::SaslContinue { data: Secret::from(reader.rest()) },
            12 => Self::SaslFinal { data: Secret::from(reader.rest()) },
            code => Self::Other { code, data: Secret::from(reader.rest()) },
        })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        let mut code = |code: u32| out.put(&code.to_be_bytes());
        match self {
            Self::Ok => code(0),
            Self::KerberosV5 => code(2),
            Self::CleartextPassword => code(3),
            Self::Md5Password { salt } => {
                code(5);
                out.put(salt)
            }
            Self::Gss => code(7),
            Self::GssContinue { data } => {
                code(8);
                out.put(data.expose())
            }
            Self::Sspi => code(9),
            Self::Sasl { mechanisms } => {
                code(10);
                if mechanisms.iter().any(Text::is_empty) {
                    let expected = "a name, as an empty one ends the list";
                    return out.refuse(EncodeError::Invalid { what: "Authentication mechanism", expected });
                }
                mechanisms.write_terminated(out)
            }
            Self::SaslContinue { data } => {
                code(11);
                out.put(data.expose())
            }
            Self::SaslFinal { data } => {
                code(12);
                out.put(data.expose())
            }
            Self::Other { code: 0 | 2 | 3 | 5 | 7..=12, .. } => out.refuse(EncodeError::Invalid {
                what: "Authentication code",
                expected: "one that has no variant of its own",
            }),
            Self::Other { code: other, data } => {
                code(*other);
                out.put(data.expose())
            }
        }
    }

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::GssContinue { .. } | Self::SaslContinue { .. } | Self::SaslFinal { .. } => out.hidden(),
            // libpq prints the empty name that ends the list.
            Self::Sasl { mechanisms } => {
                mechanisms.iter().try_for_each(|name| out.text(name))?;
                out.text("".into())
            }
            _ => Ok(()),
        }
    }
}

/// Each kind of request is traced under its own name.
impl Traced for Authentication<'_> {
    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.name(match self {
            Self::Ok => "AuthenticationOk",
            Self::KerberosV5 => "AuthenticationKerberosV5",
            Self::CleartextPassword => "AuthenticationCleartextPassword",
            Self::Md5Password { .. } => "AuthenticationMD5Password",
            Self::Gss => "AuthenticationGSS",
            Self::GssContinue { .. } => "AuthenticationGSSContinue",
            Self::Sspi => "AuthenticationSSPI",
            Self::Sasl { .. } => "AuthenticationSASL",
            Self::SaslContinue { .. } => "AuthenticationSASLContinue",
            Self::SaslFinal { .. } => "AuthenticationSASLFinal",
            // libpq prints every Int32 as signed.
            Self::Other { code, .. } => {
                let code = i32::from_be_bytes(code.to_be_bytes());
                return out.name(format_args!("Unknown authentication message {code}"));
            }
        })?;
        Fields::trace(self, out)
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for Authentication<'a> {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(match u.int_in_range(0..=12)? {
            0 => Self::Ok,
            2 => Self::KerberosV5,
            3 => Self::CleartextPassword,
            5 => Self::Md5Password { salt: u.arbitrary()? },
            7 => Self::Gss,
            8 => Self::GssContinue { data: u.arbitrary()? },
            9 => Self::Sspi,
            10 => Self::Sasl { mechanisms: u.arbitrary()? },
            11 => Self::SaslContinue { data: u.arbitrary()? },
            12 => Self::SaslFinal { data: u.arbitrary()? },
            _ => {
                // A code that has no variant of its own.
                let code = match u.arbitrary()? {
                    0 | 2 | 3 | 5 | 7..=12 => 6,
                    code => code,
                };
                Self::Other { code, data: u.arbitrary()? }
            }
        })
    }
}
