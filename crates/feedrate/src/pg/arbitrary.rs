//! Messages for fuzzing: every one that can be encoded, none that cannot.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::authentication::Authentication;
use super::format::Format;
use super::key::{self, BackendKeyData};
use super::list::{Item, List};
use super::notice::{NoticeField, PlainError, UntrustedError};
use super::password::PasswordMessage;
use super::row_description::Field;
use super::startup::{self, CancelRequest, Parameter};
use super::text::{Secret, Text};
use super::version::Version;

impl<'a> Arbitrary<'a> for Text<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let bytes = <&[u8]>::arbitrary(u)?;
        let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
        Ok(Self::from(bytes.get(..end).unwrap_or_default()))
    }
}

impl<'a> Arbitrary<'a> for Secret<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::from(<&[u8]>::arbitrary(u)?))
    }
}

impl<'a> Arbitrary<'a> for Version {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self(Self::V3_0.0 | u32::from(u.arbitrary::<u16>()?)))
    }
}

/// A list is a piece of the fuzzer's own bytes, so that nothing has to be allocated for it.
fn list<'a, T: Item<'a>>(u: &mut Unstructured<'a>, terminated: bool) -> Result<List<'a, T>> {
    Ok(List::from_any(<&[u8]>::arbitrary(u)?, terminated))
}

macro_rules! lists {
    ($($Item:ty: $terminated:literal,)*) => {
        $(
            impl<'a> Arbitrary<'a> for List<'a, $Item> {
                fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
                    list(u, $terminated)
                }
            }
        )*
    };
}

lists! {
    Format: false,
    Option<&'a [u8]>: false,
    u32: false,
    Field<'a>: false,
    Text<'a>: true,
    NoticeField<'a>: true,
    Parameter<'a>: true,
}

// An empty one, of which no stream is made: what it holds is not of the server's making, and not of ours.
impl<'a> Arbitrary<'a> for UntrustedError<'a> {
    fn arbitrary(_: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { raw: b"E\0\0\0\x05\0" })
    }
}

impl<'a> Arbitrary<'a> for PlainError<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { text: u.arbitrary()? })
    }
}

impl<'a> Arbitrary<'a> for Authentication<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
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
                // One that has no variant of its own.
                let code = match u.arbitrary()? {
                    0 | 2 | 3 | 5 | 7..=12 => 6,
                    code => code,
                };
                Self::Other { code, data: u.arbitrary()? }
            }
        })
    }
}

impl<'a> Arbitrary<'a> for BackendKeyData<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let process_id = u.arbitrary()?;
        let length = u.int_in_range(key::KEY_LENGTH)?;
        Ok(Self { process_id, key: Secret::from(u.bytes(length)?) })
    }
}

impl<'a> Arbitrary<'a> for PasswordMessage<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { password: Secret::from(Text::arbitrary(u)?.as_bytes()) })
    }
}

impl<'a> Arbitrary<'a> for NoticeField<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { code: u.int_in_range(1..=u8::MAX)?, value: u.arbitrary()? })
    }
}

impl<'a> Arbitrary<'a> for Parameter<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let name = Text::arbitrary(u)?;
        Ok(Self { name: if name.is_empty() { "user".into() } else { name }, value: u.arbitrary()? })
    }
}

impl<'a> Arbitrary<'a> for CancelRequest<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let process_id = u.arbitrary()?;
        let length = u.int_in_range(startup::KEY_LENGTH)?;
        Ok(Self { process_id, key: Secret::from(u.bytes(length)?) })
    }
}
