//! CopyDone: the end of COPY data.

use super::message;

message! {
    /// The COPY data are complete.
    pub struct CopyDone = b'c', backend(Short), frontend(Small);
}
