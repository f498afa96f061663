//! ParameterStatus: a setting's value.

use super::message;
use crate::pg::text::Text;

message! {
    /// A setting's value, after authentication and whenever it changes.
    #[derive(Default)]
    pub struct ParameterStatus<'a> = b'S', backend(Long) {
        /// The setting, such as `server_version` or `TimeZone`.
        pub name: Text<'a>,
        /// Its value.
        pub value: Text<'a>,
    }
}
