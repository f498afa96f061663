//! What a client can prove who it is with.

use core::fmt;

use zeroize::Zeroize;

use super::scram::{KEY, Salt};

/// SCRAM keys instead of a password.
///
/// A pooler that has seen a client log in knows the client's `ClientKey` (see the server half), and can log in with it
/// where the server has the same salt and iterations.
#[derive(Clone)]
pub struct ClientKeys {
    /// What the client proves that it knows.
    pub client_key: [u8; KEY],
    /// What the server proves that it knows.
    pub server_key: [u8; KEY],
    /// The salt that both were made with.
    pub salt: Salt,
    /// The iterations that both were made with.
    pub iterations: u32,
}

impl Drop for ClientKeys {
    fn drop(&mut self) {
        self.client_key.zeroize();
        self.server_key.zeroize();
    }
}

/// Hides the keys.
impl fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKeys")
            .field("salt", &self.salt)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// Who the client is, and what it can prove that with.
///
/// ```
/// use feedrate_pg::auth::Credentials;
///
/// let credentials = Credentials::new("alice").with_password("open sesame");
/// let shown = format!("{credentials:?}");
/// assert_eq!(shown, r#"Credentials { user: "alice", password: true, keys: false, token: false }"#);
/// ```
#[derive(Clone, Default)]
pub struct Credentials<'a> {
    pub(super) user: &'a [u8],
    pub(super) password: Option<&'a [u8]>,
    pub(super) keys: Option<ClientKeys>,
    pub(super) token: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// A user, as in the StartupMessage. Enough for servers that trust, and for certificates.
    pub fn new<B: AsRef<[u8]> + ?Sized>(user: &'a B) -> Self {
        Self { user: user.as_ref(), ..Self::default() }
    }

    /// With a password, for cleartext, MD5 and SCRAM.
    pub fn with_password<B: AsRef<[u8]> + ?Sized>(self, password: &'a B) -> Self {
        Self { password: Some(password.as_ref()), ..self }
    }

    /// With SCRAM keys. They are taken before the password.
    pub fn with_keys(self, keys: ClientKeys) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// With a bearer token, for OAUTHBEARER.
    pub fn with_token(self, token: &'a str) -> Self {
        Self { token: Some(token), ..self }
    }
}

/// Hides all but the user.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &feedrate::pg::Text::from(self.user))
            .field("password", &self.password.is_some())
            .field("keys", &self.keys.is_some())
            .field("token", &self.token.is_some())
            .finish()
    }
}
