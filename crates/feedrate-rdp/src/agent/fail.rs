//! Why a command is not done.

use core::num::NonZeroU16;

use feedrate::rdp::frame::ErrorCode;

use crate::target::Refusal;

/// A command is not done: the code, and its detail. No code is 0, so that a result of nothing else is two registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fail {
    code: NonZeroU16,
    pub(super) detail: u32,
}

impl Fail {
    pub(super) const fn new(code: ErrorCode, detail: u32) -> Self {
        let code = match NonZeroU16::new(code.0) {
            Some(code) => code,
            None => NonZeroU16::MIN,
        };
        Self { code, detail }
    }

    pub(super) const fn code(self) -> ErrorCode {
        ErrorCode(self.code.get())
    }
}

/// How a command ended, as the log records it: 0, or the code (SPEC section 6.5).
pub(super) fn verdict(result: Result<(), Fail>) -> u16 {
    result.err().map_or(0, |fail| fail.code.get())
}

impl From<ErrorCode> for Fail {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, 0)
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
            Refusal::Fatal(code) => Self::new(ErrorCode::Fatal, code),
        }
    }
}
