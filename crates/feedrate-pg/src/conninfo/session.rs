//! `target_session_attrs`: whether a server is the one that is wanted.

use feedrate::pg::Text;

use super::TargetSessionAttrs;

/// What a server has said about itself.
///
/// Servers since 14 say it in ParameterStatus. Others have to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Facts {
    /// `in_hot_standby`
    pub in_hot_standby: Option<bool>,
    /// `default_transaction_read_only`
    pub default_transaction_read_only: Option<bool>,
}

impl Facts {
    /// Takes note of a ParameterStatus. Call it for all of them.
    pub fn parameter_status(&mut self, name: Text<'_>, value: Text<'_>) {
        match name.as_bytes() {
            b"in_hot_standby" => self.in_hot_standby = Some(value == "on"),
            b"default_transaction_read_only" => self.default_transaction_read_only = Some(value == "on"),
            _ => {}
        }
    }

    /// Takes note of the only value in the only row that the server returns to a question.
    pub fn answer(&mut self, question: Question, value: &[u8]) {
        match question {
            Question::ReadOnly => {
                // If it is on, one of the two is, nobody knows which, and it does not matter here.
                let read_only = value.starts_with(b"on");
                self.in_hot_standby = Some(read_only);
                self.default_transaction_read_only = Some(read_only);
            }
            Question::InRecovery => self.in_hot_standby = Some(value.starts_with(b"t")),
        }
    }
}

/// What a server has to be asked, with a simple query.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Question {
    /// Whether transactions are read-only.
    ReadOnly,
    /// Whether the server is in recovery.
    InRecovery,
}

impl Question {
    /// The query.
    pub const fn sql(self) -> &'static str {
        match self {
            Self::ReadOnly => "SHOW transaction_read_only",
            Self::InRecovery => "SELECT pg_catalog.pg_is_in_recovery()",
        }
    }
}

/// What to do with a server that is ready for queries.
// Exhaustive: a server whose verdict a caller does not know may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Verdict {
    /// This is the one.
    Accept,
    /// Ask it, [`answer`](Facts::answer) for it, and come again.
    Ask(Question),
    /// Send Terminate, close the connection, and try the next host.
    Reject(Mismatch),
}

/// Why a server is not the one that is wanted.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Mismatch {
    /// `read-write` is wanted.
    #[error("the session is read-only")]
    ReadOnly,
    /// `read-only` is wanted.
    #[error("the session is not read-only")]
    ReadWrite,
    /// `primary` is wanted.
    #[error("the server is in hot standby")]
    Standby,
    /// `standby` is wanted, or `prefer-standby` and not all hosts have been tried.
    #[error("the server is not in hot standby")]
    Primary,
}

impl TargetSessionAttrs {
    /// Whether a server of which this is known is the one that is wanted. `prefer-standby` means `standby` here:
    /// [`Attempts`](super::Attempts) know when to take any.
    pub fn verdict(self, facts: &Facts) -> Verdict {
        let Facts { in_hot_standby: standby, default_transaction_read_only: default } = *facts;
        let mismatch = match self {
            Self::Any => return Verdict::Accept,
            Self::ReadWrite | Self::ReadOnly => {
                let (Some(standby), Some(default)) = (standby, default) else {
                    return Verdict::Ask(Question::ReadOnly);
                };
                match (self, standby || default) {
                    (Self::ReadWrite, true) => Mismatch::ReadOnly,
                    (Self::ReadOnly, false) => Mismatch::ReadWrite,
                    _ => return Verdict::Accept,
                }
            }
            Self::Primary | Self::Standby | Self::PreferStandby => match (self, standby) {
                (_, None) => return Verdict::Ask(Question::InRecovery),
                (Self::Primary, Some(true)) => Mismatch::Standby,
                (Self::Standby | Self::PreferStandby, Some(false)) => Mismatch::Primary,
                _ => return Verdict::Accept,
            },
        };
        Verdict::Reject(mismatch)
    }
}
