//! Limits on a backend's messages.

use super::{Limits, sealed};
use crate::pg::cap::{LONGEST, cut, largest, smaller};

/// The largest length that is allowed in a backend's message, by kind of message.
///
/// The defaults are libpq's (`fe-connect.c` and `fe-protocol3.c`), except where a server from PostgreSQL 10 to 18 can
/// send more: ParameterDescription of more than 7498 parameters, ParameterStatus of a long `search_path` (since 18),
/// NegotiateProtocolVersion that lists all that a StartupMessage has room for, and tokens of GSSAPI and SSPI.
///
/// ```
/// use feedrate::pg::{Backend, BackendLimits};
///
/// // A proxy that refuses rows of more than 16 MiB.
/// let backend = Backend::new().limits(BackendLimits::new().long(16 << 20));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct BackendLimits {
    /// Authentication requests and NegotiateProtocolVersion. The default is what a server accepts as an answer to them;
    /// libpq's limit is 2000.
    pub authentication: u32,
    /// ErrorResponse (also as plain text) and NoticeResponse before the end of authentication.
    pub early_report: u32,
    /// All other messages, which have no reason to be long.
    pub short: u32,
    /// CopyData, DataRow, ErrorResponse, FunctionCallResponse, NoticeResponse, NotificationResponse, ParameterStatus,
    /// RowDescription.
    pub long: u32,
}

/// The default limits of decoders and encoders.
pub(crate) const DEFAULT: BackendLimits = BackendLimits::new();

impl BackendLimits {
    /// libpq's limits, raised where servers send more.
    pub const fn new() -> Self {
        Self { authentication: 65_535, early_report: 30_000, short: 30_000, long: 0x7fff_ffff }
    }

    /// Sets [`authentication`](Self#structfield.authentication).
    #[must_use]
    pub const fn authentication(mut self, bytes: u32) -> Self {
        self.authentication = bytes;
        self
    }

    /// Sets [`early_report`](Self#structfield.early_report).
    #[must_use]
    pub const fn early_report(mut self, bytes: u32) -> Self {
        self.early_report = bytes;
        self
    }

    /// Sets [`short`](Self#structfield.short).
    #[must_use]
    pub const fn short(mut self, bytes: u32) -> Self {
        self.short = bytes;
        self
    }

    /// Sets [`long`](Self#structfield.long).
    #[must_use]
    pub const fn long(mut self, bytes: u32) -> Self {
        self.long = bytes;
        self
    }

    /// The limit for writing: the largest that any phase of the connection allows.
    pub(crate) const fn most(&self, class: Class) -> u32 {
        let (short, long) = (cut(self.short), cut(self.long));
        match class {
            Class::Unknown => LONGEST,
            Class::Authentication | Class::Negotiation => cut(self.authentication),
            Class::Report => largest(&[cut(self.early_report), long]),
            Class::EarlyReport => cut(self.early_report),
            Class::Short => short,
            Class::Description => self.description(),
            Class::Long => long,
        }
    }

    /// It has a class of its own, because it is neither short nor long.
    pub(crate) const fn description(&self) -> u32 {
        smaller(largest(&[DESCRIPTION, cut(self.short)]), cut(self.long))
    }
}

impl Default for BackendLimits {
    fn default() -> Self {
        DEFAULT
    }
}

impl Limits for BackendLimits {}
impl sealed::Limits for BackendLimits {
    fn copy_data(&self) -> u32 {
        self.most(Class::Long)
    }
}

/// The longest ParameterDescription: 65535 types.
const DESCRIPTION: u32 = 6 + 4 * 65_535;

/// Kinds of messages by the limit of their length.
// Declared in the order of their numbers, so that `index` costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Of unknown type, or without a length: only the decoder's limit applies.
    Unknown,
    Authentication,
    Negotiation,
    Report,
    Short,
    Description,
    Long,
    /// In another form than a tagged message.
    EarlyReport,
}

impl Class {
    pub(crate) const fn index(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Authentication => 1,
            Self::Negotiation => 2,
            Self::Report => 3,
            Self::Short => 4,
            Self::Description => 5,
            Self::Long => 6,
            Self::EarlyReport => 7,
        }
    }
}
