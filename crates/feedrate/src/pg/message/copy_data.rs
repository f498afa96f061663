//! CopyData: a piece of COPY data.

use super::message;

message! {
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
    #[derive(Default)]
    pub struct CopyData<'a> = b'd', backend(Long), frontend(Large) {
        /// The bytes; there may be none.
        pub data: &'a [u8] => Data,
    }
}
