//! Markers: whole messages and frames, or pieces of them as they arrive.

/// Messages, or frames, come out whole.
// Exhaustive: it has no values, and stands for a choice between types.
#[derive(Debug, Clone, Copy)]
pub enum Whole {}

/// The pieces of messages, or of frames, come out as they arrive.
// Exhaustive: it has no values, and stands for a choice between types.
#[derive(Debug, Clone, Copy)]
pub enum InPieces {}

/// As [`InPieces`], for the receiver.
pub(crate) enum Joined {}

/// A way for frames to come in parts.
pub trait Parts: sealed::Parts {}

impl<M: sealed::Parts> Parts for M {}

pub(crate) mod sealed {
    use super::{InPieces, Joined};

    pub trait Parts {
        /// Whether a data frame that is complete in the input comes out in one part. The decoder's storage must then
        /// have no limit.
        const JOINED: bool;
    }

    impl Parts for InPieces {
        const JOINED: bool = false;
    }

    impl Parts for Joined {
        const JOINED: bool = true;
    }
}
