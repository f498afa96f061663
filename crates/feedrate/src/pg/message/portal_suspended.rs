//! PortalSuspended: there are more rows.

use super::message;

message! {
    /// In place of CommandComplete: Execute's row limit was reached.
    pub struct PortalSuspended = b's', backend(Short);
}
