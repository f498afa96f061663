//! Limits on a frontend's messages.

use super::{Limits, sealed};
use crate::pg::cap::{LONGEST, cut, largest};

/// The largest length that is allowed in a frontend's message, by kind of message.
///
/// The defaults allow everything that a server from PostgreSQL 10 to 18 accepts. [`since_14`](Self::since_14) is
/// stricter.
///
/// ```
/// use feedrate::pg::{Frontend, FrontendLimits};
///
/// // A pooler that refuses statements of more than 1 MiB.
/// let frontend = Frontend::new().limits(FrontendLimits::new().large(1 << 20));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct FrontendLimits {
    /// Startup packets: `MAX_STARTUP_PACKET_LENGTH` in `libpq/pqcomm.h`, plus 4 for the length field.
    pub startup: u32,
    /// Answers to authentication requests: `PG_MAX_AUTH_TOKEN_LENGTH` in `libpq/auth.h`.
    pub authentication: u32,
    /// SASL responses, once the frontend has chosen a SCRAM mechanism: `PG_MAX_SASL_MESSAGE_LENGTH` in `libpq/sasl.h`.
    pub scram: u32,
    /// Close, CopyDone, CopyFail, Describe, Execute, Flush, Sync, Terminate: `PQ_SMALL_MESSAGE_LIMIT` in
    /// `libpq/libpq.h` since PostgreSQL 14, before that as `large`.
    pub small: u32,
    /// Bind, CopyData, FunctionCall, Parse, Query: `PQ_LARGE_MESSAGE_LIMIT` in `libpq/libpq.h` since PostgreSQL 14,
    /// before that a body of less than `MaxAllocSize` bytes (`enlargeStringInfo`).
    pub large: u32,
}

/// The default limits of decoders and encoders.
pub(crate) const DEFAULT: FrontendLimits = FrontendLimits::new();

impl FrontendLimits {
    /// Accepts what any server from PostgreSQL 10 to 18 accepts.
    pub const fn new() -> Self {
        const LARGE: u32 = 4 + 0x3fff_ffff - 1;
        Self { startup: 10_004, authentication: 65_535, scram: 1_024, small: LARGE, large: LARGE }
    }

    /// What servers since PostgreSQL 14 accept. They close the connection without an error if a message is longer, so
    /// it is better to refuse it when it is written.
    ///
    /// ```
    /// use feedrate::Encode;
    /// use feedrate::pg::{FrontendLimits, frontend::{CopyFail, Message}};
    ///
    /// let traceback = "x".repeat(20_000);
    /// let fail = Message::from(CopyFail { reason: traceback.as_str().into() });
    /// assert!(fail.encoded_length().is_ok());
    /// assert!(fail.within(&FrontendLimits::since_14()).encoded_length().is_err());
    /// ```
    pub const fn since_14() -> Self {
        Self::new().small(10_000).large(0x3fff_fffe)
    }

    /// Sets [`startup`](Self#structfield.startup).
    #[must_use]
    pub const fn startup(mut self, bytes: u32) -> Self {
        self.startup = bytes;
        self
    }

    /// Sets [`authentication`](Self#structfield.authentication).
    #[must_use]
    pub const fn authentication(mut self, bytes: u32) -> Self {
        self.authentication = bytes;
        self
    }

    /// Sets [`scram`](Self#structfield.scram).
    #[must_use]
    pub const fn scram(mut self, bytes: u32) -> Self {
        self.scram = bytes;
        self
    }

    /// Sets [`small`](Self#structfield.small).
    #[must_use]
    pub const fn small(mut self, bytes: u32) -> Self {
        self.small = bytes;
        self
    }

    /// Sets [`large`](Self#structfield.large).
    #[must_use]
    pub const fn large(mut self, bytes: u32) -> Self {
        self.large = bytes;
        self
    }

    /// The limit for writing: the largest that any phase of the connection allows.
    pub(crate) const fn most(&self, class: Class) -> u32 {
        match class {
            Class::Unknown => LONGEST,
            Class::Startup => cut(self.startup),
            Class::Answer => cut(self.authentication),
            // The message does not contain its mechanism.
            Class::Sasl => largest(&[cut(self.authentication), cut(self.scram)]),
            Class::Small | Class::End => cut(self.small),
            Class::Large => cut(self.large),
        }
    }
}

impl Default for FrontendLimits {
    fn default() -> Self {
        DEFAULT
    }
}

impl Limits for FrontendLimits {}
impl sealed::Limits for FrontendLimits {
    fn copy_data(&self) -> u32 {
        self.most(Class::Large)
    }
}

/// Kinds of messages by the limit of their length.
// Declared in the order of their numbers, so that `index` costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Of unknown type, or without a length: only the decoder's limit applies.
    Unknown,
    Answer,
    Small,
    Large,
    /// Terminate.
    End,
    Startup,
    Sasl,
}

impl Class {
    pub(crate) const fn index(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Answer => 1,
            Self::Small => 2,
            Self::Large => 3,
            Self::End => 4,
            Self::Startup => 5,
            Self::Sasl => 6,
        }
    }
}
