//! Why a command is not done.

use feedrate::rdp::frame::ErrorCode;

use crate::target::Refusal;

/// A command is not done: the code, and its detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fail(pub(super) ErrorCode, pub(super) u32);

impl From<ErrorCode> for Fail {
    fn from(code: ErrorCode) -> Self {
        Self(code, 0)
    }
}

impl From<Refusal> for Fail {
    #[inline(never)]
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unmapped => ErrorCode::Unmapped.into(),
            Refusal::ReadOnly => ErrorCode::ReadOnly.into(),
            Refusal::NoSlot => ErrorCode::NoSlot.into(),
            Refusal::WrongState => ErrorCode::WrongState.into(),
            Refusal::Interlock => ErrorCode::Interlock.into(),
            Refusal::Unsupported => ErrorCode::Unsupported.into(),
            Refusal::Fatal(code) => Self(ErrorCode::Fatal, code),
        }
    }
}
