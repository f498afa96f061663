//! Values that mean something to the client: checked, and with their types.

use core::time::Duration;

use feedrate::Output;
use feedrate::pg::{Text, Version};

use super::scan::is_space;
use super::settings::Settings;
use super::{Invalid, Keyword};

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident ($keyword:ident, $default:ident, $expected:literal) {
        $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        // Exhaustive: a caller that ignored an sslmode that it does not know would not be safe.
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("\n`", $text, "`")] $variant,)*
        }

        impl $name {
            /// As it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn read<M: Output + AsRef<[u8]>>(settings: &Settings<M>) -> Result<Self, Invalid> {
                match settings.get(Keyword::$keyword).map(Text::as_bytes) {
                    None => Ok(Self::default()),
                    $(Some(text) if text == $text.as_bytes() => Ok(Self::$variant),)*
                    Some(_) => Err(Invalid::value(Keyword::$keyword, $expected)),
                }
            }
        }
    )*};
}

choices! {
    /// Whether TLS is used, and how much of the server's certificate is checked. In the order of strength.
    SslMode (SslMode, Prefer, "disable, allow, prefer, require, verify-ca or verify-full") {
        /// Never.
        Disable = "disable",
        /// Only if the server refuses a connection without.
        Allow = "allow",
        /// If the server has it. Not even that is checked.
        #[default]
        Prefer = "prefer",
        /// Always. The certificate is checked only if there are certificates that are trusted: a file named by
        /// `sslrootcert`, or `~/.postgresql/root.crt`.
        Require = "require",
        /// Always, with a certificate of an authority that is trusted.
        VerifyCa = "verify-ca",
        /// Always, with such a certificate for the host's name.
        VerifyFull = "verify-full",
    }
    /// How TLS begins.
    SslNegotiation (SslNegotiation, Postgres, "postgres or direct") {
        /// SSLRequest, and then what the server says.
        #[default]
        Postgres = "postgres",
        /// At once. Servers since 17 know it.
        Direct = "direct",
    }
    /// Whether GSSAPI encrypts. There is no support for it: see [`Invalid::GssEncryption`].
    GssEncMode (GssEncMode, Prefer, "disable, prefer or require") {
        /// Never.
        Disable = "disable",
        /// If there is support for it.
        #[default]
        Prefer = "prefer",
        /// Always.
        Require = "require",
    }
    /// Whether SCRAM is bound to the TLS connection.
    ChannelBinding (ChannelBinding, Prefer, "disable, prefer or require") {
        /// Never.
        Disable = "disable",
        /// If the server can.
        #[default]
        Prefer = "prefer",
        /// Always: no other authentication will do.
        Require = "require",
    }
    /// Whether the client's certificate is sent.
    SslCertMode (SslCertMode, Allow, "disable, allow or require") {
        /// Never.
        Disable = "disable",
        /// If the server asks for it and there is one.
        #[default]
        Allow = "allow",
        /// The server has to ask for it.
        Require = "require",
    }
    /// What the server must be.
    TargetSessionAttrs (TargetSessionAttrs, Any, "any, read-write, read-only, primary, standby or prefer-standby") {
        /// Anything.
        #[default]
        Any = "any",
        /// Its transactions may write.
        ReadWrite = "read-write",
        /// Its transactions may not write.
        ReadOnly = "read-only",
        /// Not in hot standby.
        Primary = "primary",
        /// In hot standby.
        Standby = "standby",
        /// In hot standby, or if there is no such server, anything.
        PreferStandby = "prefer-standby",
    }
    /// In which order hosts, and the addresses of a host, are tried.
    LoadBalanceHosts (LoadBalanceHosts, Disable, "disable or random") {
        /// As they are listed.
        #[default]
        Disable = "disable",
        /// In random order.
        Random = "random",
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TlsVersion {
    /// 1.0
    V1_0,
    /// 1.1
    V1_1,
    /// 1.2
    V1_2,
    /// 1.3
    V1_3,
}

/// How TCP looks after a peer that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Keepalives {
    /// Silence before the first look. `None`: what the operating system does.
    pub idle: Option<Duration>,
    /// Time between looks.
    pub interval: Option<Duration>,
    /// How many looks may go without an answer.
    pub count: Option<u32>,
}

/// The settings whose values are checked and have types.
///
/// Names, files, `require_auth` and so on are texts: [`Settings::get`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// `sslmode`
    pub ssl_mode: SslMode,
    /// `sslnegotiation`
    pub ssl_negotiation: SslNegotiation,
    /// `gssencmode`, never [`GssEncMode::Require`]
    pub gss_enc_mode: GssEncMode,
    /// `sslcertmode`
    pub ssl_cert_mode: SslCertMode,
    /// `sslsni`
    pub ssl_sni: bool,
    /// `ssl_min_protocol_version`
    pub min_tls: Option<TlsVersion>,
    /// `ssl_max_protocol_version`
    pub max_tls: Option<TlsVersion>,
    /// `channel_binding`
    pub channel_binding: ChannelBinding,
    /// `target_session_attrs`
    pub target_session_attrs: TargetSessionAttrs,
    /// `load_balance_hosts`
    pub load_balance_hosts: LoadBalanceHosts,
    /// `connect_timeout`: for each address, until the server is ready for queries. `None`: no limit.
    pub connect_timeout: Option<Duration>,
    /// `keepalives` and its like. `None`: switched off.
    pub keepalives: Option<Keepalives>,
    /// `tcp_user_timeout`. `None`: what the operating system does.
    pub tcp_user_timeout: Option<Duration>,
    /// `min_protocol_version`
    pub min_version: Version,
    /// `max_protocol_version`
    pub max_version: Version,
}

impl<M: Output + AsRef<[u8]>> Settings<M> {
    /// Checks the values that have types, and gives those that are not set their defaults.
    ///
    /// # Errors
    ///
    /// [`Invalid`].
    ///
    /// ```
    /// use feedrate_pg::conninfo::{Settings, SslMode};
    ///
    /// let mut settings = Settings::new(Vec::new());
    /// settings.parse("host=db.example.com sslrootcert=system connect_timeout=10")?;
    /// let options = settings.options()?;
    /// assert_eq!(options.ssl_mode, SslMode::VerifyFull);
    /// assert_eq!(options.connect_timeout.unwrap().as_secs(), 10);
    ///
    /// settings.parse("sslmode=on")?;
    /// assert_eq!(
    ///     settings.options().unwrap_err().to_string(),
    ///     "sslmode: expected disable, allow, prefer, require, verify-ca or verify-full"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn options(&self) -> Result<Options, Invalid> {
        let system = self.get(Keyword::SslRootCert).is_some_and(|value| value == "system");
        let mut ssl_mode = SslMode::read(self)?;
        if system && self.get(Keyword::SslMode).is_none() {
            ssl_mode = SslMode::VerifyFull;
        }
        let ssl_negotiation = SslNegotiation::read(self)?;
        if ssl_negotiation == SslNegotiation::Direct && ssl_mode < SslMode::Require {
            return Err(Invalid::DirectNeedsTls);
        }
        if system && ssl_mode != SslMode::VerifyFull {
            return Err(Invalid::SystemNeedsVerifyFull);
        }
        let gss_enc_mode = GssEncMode::read(self)?;
        if gss_enc_mode == GssEncMode::Require {
            return Err(Invalid::GssEncryption);
        }
        let (min_tls, max_tls) = (
            self.tls_version(Keyword::SslMinProtocolVersion)?,
            self.tls_version(Keyword::SslMaxProtocolVersion)?,
        );
        if min_tls.zip(max_tls).is_some_and(|(min, max)| min > max) {
            return Err(Invalid::TlsRange);
        }
        let (min_version, max_version) = self.versions()?;
        Ok(Options {
            ssl_mode,
            ssl_negotiation,
            gss_enc_mode,
            ssl_cert_mode: SslCertMode::read(self)?,
            ssl_sni: self.get_or_default(Keyword::SslSni).is_some_and(|sni| sni.as_bytes().starts_with(b"1")),
            min_tls,
            max_tls,
            channel_binding: ChannelBinding::read(self)?,
            target_session_attrs: TargetSessionAttrs::read(self)?,
            load_balance_hosts: LoadBalanceHosts::read(self)?,
            connect_timeout: self.positive(Keyword::ConnectTimeout)?.map(|n| Duration::from_secs(n.into())),
            keepalives: self.keepalives()?,
            tcp_user_timeout: self
                .positive(Keyword::TcpUserTimeout)?
                .map(|n| Duration::from_millis(n.into())),
            min_version,
            max_version,
        })
    }

    fn keepalives(&self) -> Result<Option<Keepalives>, Invalid> {
        let keepalives = Keepalives {
            idle: self.positive(Keyword::KeepalivesIdle)?.map(|n| Duration::from_secs(n.into())),
            interval: self.positive(Keyword::KeepalivesInterval)?.map(|n| Duration::from_secs(n.into())),
            count: self.positive(Keyword::KeepalivesCount)?,
        };
        Ok((self.integer(Keyword::Keepalives)? != Some(0)).then_some(keepalives))
    }

    /// Without either, the lowest: some servers and poolers cannot negotiate. With a minimum, the highest.
    fn versions(&self) -> Result<(Version, Version), Invalid> {
        const LATEST: Version = Version::V3_2;
        let read = |keyword| match self.get(keyword).map(Text::as_bytes) {
            None => Ok(None),
            Some(b"3.0") => Ok(Some(Version::V3_0)),
            Some(b"3.2") => Ok(Some(Version::V3_2)),
            Some(b"latest") => Ok(Some(LATEST)),
            Some(_) => Err(Invalid::value(keyword, "3.0, 3.2 or latest")),
        };
        let min = read(Keyword::MinProtocolVersion)?.unwrap_or(Version::V3_0);
        let max = match read(Keyword::MaxProtocolVersion)? {
            Some(max) => max,
            None if min > Version::V3_0 => LATEST,
            None => Version::V3_0,
        };
        if min <= max { Ok((min, max)) } else { Err(Invalid::ProtocolRange) }
    }

    fn tls_version(&self, keyword: Keyword) -> Result<Option<TlsVersion>, Invalid> {
        let Some(value) = self.get_or_default(keyword).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let versions = [
            ("TLSv1", TlsVersion::V1_0),
            ("TLSv1.1", TlsVersion::V1_1),
            ("TLSv1.2", TlsVersion::V1_2),
            ("TLSv1.3", TlsVersion::V1_3),
        ];
        match versions.iter().find(|(name, _)| value.as_bytes().eq_ignore_ascii_case(name.as_bytes())) {
            Some((_, version)) => Ok(Some(*version)),
            None => Err(Invalid::value(keyword, "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3")),
        }
    }

    /// A number above 0. Below, it counts as not set.
    fn positive(&self, keyword: Keyword) -> Result<Option<u32>, Invalid> {
        Ok(self.integer(keyword)?.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0))
    }

    fn integer(&self, keyword: Keyword) -> Result<Option<i32>, Invalid> {
        let Some(value) = self.get(keyword) else { return Ok(None) };
        integer(value.as_bytes()).map(Some).ok_or(Invalid::value(keyword, "a number"))
    }
}

/// As C's `strtol` reads it, with space on both sides.
pub(super) fn integer(text: &[u8]) -> Option<i32> {
    let start = text.iter().position(|byte| !is_space(*byte))?;
    let end = text.iter().rposition(|byte| !is_space(*byte))?;
    core::str::from_utf8(text.get(start..=end)?).ok()?.parse().ok()
}
