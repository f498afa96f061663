//! What a client agrees to: methods, channel binding, iterations.

use core::fmt;

/// A way to authenticate, as libpq's `require_auth` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Method {
    /// `none`: the server does not ask, or asks the TLS certificate only.
    None,
    /// `password`: in clear.
    Password,
    /// `md5`.
    Md5,
    /// `scram-sha-256`, with and without channel binding.
    Scram,
    /// `oauth`.
    OAuth,
    /// `gss`: GSSAPI.
    Gss,
    /// `sspi`: of Windows.
    Sspi,
}

impl Method {
    const ALL: [Self; 7] =
        [Self::None, Self::Password, Self::Md5, Self::Scram, Self::OAuth, Self::Gss, Self::Sspi];

    /// libpq's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Password => "password",
            Self::Md5 => "md5",
            Self::Scram => "scram-sha-256",
            Self::OAuth => "oauth",
            Self::Gss => "gss",
            Self::Sspi => "sspi",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::None => 1,
            Self::Password => 2,
            Self::Md5 => 4,
            Self::Scram => 8,
            Self::OAuth => 16,
            Self::Gss => 32,
            Self::Sspi => 64,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of [`Method`]s.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Methods(u8);

impl Methods {
    /// All of them.
    pub const ALL: Self = Self(127);
    /// None of them: not even [`Method::None`].
    pub const EMPTY: Self = Self(0);

    /// These and `method`.
    pub const fn with(self, method: Method) -> Self {
        Self(self.0 | method.bit())
    }

    /// These without `method`.
    pub const fn without(self, method: Method) -> Self {
        Self(self.0 & !method.bit())
    }

    /// Whether `method` is one of them.
    pub const fn contains(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// The methods, in the order of [`Method`].
    pub fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(move |&method| self.contains(method))
    }

    /// Reads libpq's `require_auth`: names with commas, either all to be allowed or all, with a `!`, to be refused. An
    /// empty text allows all.
    ///
    /// ```
    /// use feedrate_pg::auth::{Method, Methods};
    ///
    /// let methods = Methods::parse("scram-sha-256,none")?;
    /// assert!(methods.contains(Method::None) && !methods.contains(Method::Md5));
    /// let methods = Methods::parse("!password,!md5")?;
    /// assert!(methods.contains(Method::None) && !methods.contains(Method::Md5));
    /// assert!(Methods::parse("scram-sha-256,!none").is_err());
    /// # Ok::<(), feedrate_pg::auth::BadPolicy>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BadPolicy`].
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        if text.is_empty() {
            return Ok(Self::ALL);
        }
        let refuses = text.starts_with('!');
        let mut named = Self::EMPTY;
        for name in text.split(',') {
            let plain = name.strip_prefix('!');
            if plain.is_some() != refuses {
                return Err(BadPolicy::Mixed);
            }
            let plain = plain.unwrap_or(name);
            let method = Method::ALL.into_iter().find(|method| method.name() == plain);
            let method = method.ok_or(BadPolicy::UnknownMethod)?;
            if named.contains(method) {
                return Err(BadPolicy::Twice { method });
            }
            named = named.with(method);
        }
        Ok(if refuses { Self(Self::ALL.0 & !named.0) } else { named })
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// As `require_auth` has it.
impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, method) in self.iter().enumerate() {
            write!(f, "{}{method}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Whether SCRAM has to be bound to the TLS connection: libpq's `channel_binding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
// Exhaustive: libpq has these three.
pub enum BindingPolicy {
    /// Never.
    Disable,
    /// If both sides can.
    #[default]
    Prefer,
    /// Anything else is refused.
    Require,
}

impl BindingPolicy {
    /// Reads libpq's `disable`, `prefer` or `require`.
    ///
    /// # Errors
    ///
    /// [`BadPolicy::UnknownBinding`].
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        match text {
            "disable" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            _ => Err(BadPolicy::UnknownBinding),
        }
    }
}

/// Why a text of libpq's `require_auth` or `channel_binding` means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BadPolicy {
    /// No method has this name.
    #[error(
        "require_auth: unknown method, expected none, password, md5, scram-sha-256, oauth, gss or sspi, \
         each with a ! or each without"
    )]
    UnknownMethod,
    /// Some methods have a `!`, and some do not.
    #[error("require_auth: expected either all methods with a ! or all without")]
    Mixed,
    /// A method is named twice.
    #[error("require_auth: {method} is named twice")]
    Twice {
        /// The method.
        method: Method,
    },
    /// Not a value of `channel_binding`.
    #[error("channel_binding: expected disable, prefer or require")]
    UnknownBinding,
}

/// What a client agrees to.
///
/// ```
/// use feedrate_pg::auth::{BindingPolicy, Method, Methods, Policy};
///
/// let policy = Policy {
///     methods: Methods::parse("scram-sha-256")?,
///     binding: BindingPolicy::Require,
///     ..Policy::default()
/// };
/// assert!(!policy.methods.contains(Method::None));
/// # Ok::<(), feedrate_pg::auth::BadPolicy>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Policy {
    /// The methods that the server may ask for. All, unless set.
    pub methods: Methods,
    /// Whether SCRAM has to be bound to the TLS connection.
    pub binding: BindingPolicy,
    /// The fewest iterations of SCRAM that the server may ask for: 1, unless set. A server that was told
    /// `scram_iterations = 1` is an honest one. A higher bound makes the password harder to guess for a false server.
    pub min_iterations: u32,
    /// The most iterations of SCRAM that the server may ask for: [`MAX_ITERATIONS`](Self::MAX_ITERATIONS), unless
    /// set. The server names the count before it has proved anything, so this bounds what anybody who can answer the
    /// connection makes the client compute.
    pub max_iterations: u32,
}

impl Policy {
    /// 1,000,000: more than anybody recommends (OWASP: 600,000), and a fraction of a second of a server's
    /// processor.
    pub const MAX_ITERATIONS: u32 = 1_000_000;
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            methods: Methods::ALL,
            binding: BindingPolicy::default(),
            min_iterations: 1,
            max_iterations: Self::MAX_ITERATIONS,
        }
    }
}
