//! NotificationResponse: NOTIFY.

use super::message;
use crate::pg::form::Process;
use crate::pg::text::Text;

message! {
    /// NOTIFY by another session, or by this one.
    #[derive(Default)]
    pub struct NotificationResponse<'a> = b'A', backend(Long) {
        /// The notifying session's process.
        pub process_id: i32 as Process,
        /// The channel.
        pub channel: Text<'a>,
        /// The payload, often empty.
        pub payload: Text<'a>,
    }
}
