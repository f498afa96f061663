//! ErrorResponse: a command failed, or the connection ends.

use core::fmt;

use super::message;
use crate::pg::list::List;
use crate::pg::notice::{NoticeField, Severity, SqlState, field, report};
use crate::pg::text::Text;

message! {
    /// A command failed, or the connection ends.
    ///
    /// ```
    /// use feedrate::pg::{List, backend::{ErrorResponse, NoticeField, Severity, field}};
    ///
    /// let fields = [
    ///     NoticeField { code: field::SEVERITY_NONLOCALIZED, value: "ERROR".into() },
    ///     NoticeField { code: field::CODE, value: "42P01".into() },
    ///     NoticeField { code: field::MESSAGE, value: "relation \"t\" does not exist".into() },
    ///     NoticeField { code: field::POSITION, value: "15".into() },
    /// ];
    /// let error = ErrorResponse { fields: List::from(&fields) };
    /// assert_eq!(error.severity(), Some(Severity::Error));
    /// assert_eq!(error.sql_state().unwrap().as_str(), "42P01");
    /// assert_eq!(error.position(), Some(15));
    /// assert_eq!(error.to_string(), "ERROR: relation \"t\" does not exist (SQLSTATE 42P01)");
    /// ```
    #[derive(Default)]
    pub struct ErrorResponse<'a> = b'E', backend(Report) {
        /// The fields, in the server's order.
        pub fields: List<'a, NoticeField<'a>>,
    }
}

report!(ErrorResponse);

impl core::error::Error for ErrorResponse<'_> {}

/// An [`ErrorResponse`] that owns its fields, so that it outlives the buffer it was read from.
///
/// ```
/// use feedrate::pg::{List, backend::{ErrorResponse, NoticeField, OwnedErrorResponse, field}};
///
/// fn query() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     let fields = [NoticeField { code: field::MESSAGE, value: "division by zero".into() }];
///     let lent = ErrorResponse { fields: List::from(&fields) };
///     Err(OwnedErrorResponse::from(lent).into())
/// }
///
/// let error = query().unwrap_err();
/// let error = error.downcast_ref::<OwnedErrorResponse>().unwrap();
/// assert_eq!(error.as_response().message().unwrap(), "division by zero");
/// ```
#[cfg(feature = "alloc")]
#[cfg_attr(docsrs, doc(cfg(feature = "alloc")))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedErrorResponse {
    /// The list as it is on the wire.
    fields: alloc::vec::Vec<u8>,
}

#[cfg(feature = "alloc")]
impl OwnedErrorResponse {
    /// Borrows it as an [`ErrorResponse`].
    pub fn as_response(&self) -> ErrorResponse<'_> {
        ErrorResponse { fields: List::from_good(&self.fields) }
    }
}

#[cfg(feature = "alloc")]
impl From<ErrorResponse<'_>> for OwnedErrorResponse {
    /// A field that cannot be on the wire, because its code is 0 or its text has a NUL, ends the list.
    fn from(error: ErrorResponse<'_>) -> Self {
        let mut fields = alloc::vec::Vec::new();
        for NoticeField { code, value } in error.fields {
            if code == 0 || value.as_bytes().contains(&0) {
                break;
            }
            fields.push(code);
            fields.extend_from_slice(value.as_bytes());
            fields.push(0);
        }
        Self { fields }
    }
}

#[cfg(feature = "alloc")]
impl fmt::Display for OwnedErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_response().fmt(f)
    }
}

#[cfg(feature = "alloc")]
impl core::error::Error for OwnedErrorResponse {}
