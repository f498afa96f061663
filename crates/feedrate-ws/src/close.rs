//! Close frames: RFC 6455, section 5.5.1.

use core::fmt;

use crate::close_code::CloseCode;
use crate::error::Violation;
use crate::opcode::CONTROL;

/// The content of a close frame. A close frame without a payload is `None` where this is optional; some programs call
/// that 1005.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close<'a> {
    /// The reason as a code.
    pub code: CloseCode,
    /// The reason as text, up to 123 bytes.
    pub reason: &'a str,
}

/// The reason is escaped: it comes from the peer, and may go to a terminal.
///
/// ```
/// use feedrate_ws::{Close, CloseCode};
///
/// let close = Close { code: CloseCode::GOING_AWAY, reason: "see you" };
/// assert_eq!(close.to_string(), "1001 (going away): \"see you\"");
/// ```
impl fmt::Display for Close<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            "" => write!(f, "{}", self.code),
            reason => write!(f, "{}: {reason:?}", self.code),
        }
    }
}

impl<'a> Close<'a> {
    /// Reads a close frame's payload.
    pub(crate) fn parse(payload: &'a [u8]) -> Result<Option<Self>, Violation> {
        let (code, reason) = match payload {
            [] => return Ok(None),
            [_] => return Err(Violation::CloseLength),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        let code = CloseCode::new(code).ok_or(Violation::CloseCode(code))?;
        let reason = core::str::from_utf8(reason).map_err(|_| Violation::CloseReason)?;
        Ok(Some(Self { code, reason }))
    }

    /// A close frame's payload, and its length. A reason that is too long is cut after the last character that fits.
    pub(crate) fn to_bytes(self) -> ([u8; CONTROL], usize) {
        let mut bytes = [0; CONTROL];
        let payload = self.code.get().to_be_bytes().into_iter().chain(cut(self.reason).bytes());
        let length = bytes.iter_mut().zip(payload).map(|(to, from)| *to = from).count();
        (bytes, length)
    }
}

/// As much of `reason` as fits into a close frame.
fn cut(reason: &str) -> &str {
    if reason.len() <= CONTROL.saturating_sub(2) {
        return reason;
    }
    let end = (0..=CONTROL.saturating_sub(2)).rev().find(|end| reason.is_char_boundary(*end));
    reason.get(..end.unwrap_or(0)).unwrap_or_default()
}
