//! FunctionCallResponse: what a function returned.

use super::message;

message! {
    /// What the function returned.
    #[derive(Default)]
    pub struct FunctionCallResponse<'a> = b'V', backend(Long) {
        /// The value, `None` for NULL.
        pub value: Option<&'a [u8]> => Values,
    }
}
