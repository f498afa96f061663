//! Bearer tokens.

/// Whether these characters may be in a bearer token (`b64token` of RFC 6750). No token at all is one, too.
pub(super) fn is_token(token: &str) -> bool {
    let plain = token.trim_end_matches('=');
    let chars = plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
    chars && (!plain.is_empty() || token.is_empty())
}
