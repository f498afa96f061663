//! COPY: the responses that begin it, its data, and how it ends.

use super::format::Format;
use super::list::List;
use super::message::{Body, bodiless, tagged};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::write::{Sink, put_text};

macro_rules! copy_response {
    ($(#[$doc:meta])* $Message:ident, $tag:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct $Message<'a> {
            /// Of the whole: 0 text, 1 binary. Other codes are kept.
            pub format: u8,
            /// Of each column.
            pub column_formats: List<'a, Format>,
        }

        tagged!($Message<'_>, $tag, Backend);

        impl<'a> Body<'a> for $Message<'a> {
            fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
                let format = reader.u8("overall format")?;
                let count = reader.u16("number of columns")?;
                Ok(Self { format, column_formats: List::read(reader, count, "column formats")? })
            }

            fn write<S: Sink>(&self, out: &mut S) {
                out.put(&[self.format]);
                self.column_formats.write_counted(out, stringify!($Message))
            }
        }
    };
}

copy_response! {
    /// The server is ready to take CopyData from the frontend.
    CopyInResponse, b'G'
}
copy_response! {
    /// CopyData from the server follows.
    CopyOutResponse, b'H'
}
copy_response! {
    /// CopyData flows both ways: streaming replication.
    CopyBothResponse, b'W'
}

/// A piece of COPY data. From a server it is always one row; a frontend may cut where it likes.
///
/// ```
/// use feedrate::{Encode, pg::frontend::CopyData};
///
/// let mut out = Vec::new();
/// CopyData { data: b"1\t2\n" }.encode(&mut out)?;
/// assert_eq!(out, b"d\0\0\0\x081\t2\n");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct CopyData<'a> {
    /// The bytes; there may be none.
    pub data: &'a [u8],
}

tagged!(CopyData<'_>, b'd', Backend, Frontend);

impl<'a> Body<'a> for CopyData<'a> {
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { data: reader.rest() })
    }

    #[inline]
    fn write<S: Sink>(&self, out: &mut S) {
        out.put(self.data)
    }
}

bodiless! {
    /// The COPY data are complete.
    CopyDone, b'c', Backend, Frontend
}

/// The frontend gives up a COPY it was sending; the server answers with an error.
///
/// Servers since PostgreSQL 14 close the connection at one of more than 10000 bytes, so that such a one is refused under the default limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct CopyFail<'a> {
    /// The reason, which the server puts into its error.
    pub reason: Text<'a>,
}

tagged!(CopyFail<'_>, b'f', Frontend);

impl<'a> Body<'a> for CopyFail<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { reason: reader.text()? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        put_text(out, self.reason, "CopyFail reason")
    }
}
