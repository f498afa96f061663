//! The keywords of connection strings.

use core::fmt;

macro_rules! keywords {
    ($($variant:ident: $name:literal, $environment:expr, $default:expr, $secret:expr, $about:literal;)*) => {
        /// What can be set: every keyword of libpq 18.
        ///
        /// ```
        /// use feedrate_pg::conninfo::Keyword;
        ///
        /// assert_eq!(Keyword::from_name(b"sslmode"), Some(Keyword::SslMode));
        /// assert_eq!(Keyword::SslMode.environment(), Some("PGSSLMODE"));
        /// assert_eq!(Keyword::SslMode.default_value(), Some("prefer"));
        /// assert!(Keyword::Password.is_secret());
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum Keyword {
            $(#[doc = concat!("`", $name, "`: ", $about, ".")] $variant,)*
        }

        impl Keyword {
            /// All of them, in libpq's order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// As it is written in connection strings.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The environment variable that libpq reads if nothing else sets the keyword.
            pub const fn environment(self) -> Option<&'static str> {
                match self { $(Self::$variant => $environment,)* }
            }

            /// What counts if nothing sets the keyword.
            ///
            /// Not all is in this table: `user` is the program's to find out, `dbname` is the user's name, and
            /// `sslmode` is `verify-full` if `sslrootcert` is `system`.
            pub const fn default_value(self) -> Option<&'static str> {
                match self { $(Self::$variant => $default,)* }
            }

            /// Whether the value must not be shown.
            pub const fn is_secret(self) -> bool {
                match self { $(Self::$variant => $secret,)* }
            }

            /// What it is for, in a few words.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

keywords! {
    Service: "service", Some("PGSERVICE"), None, false, "the section of the service file that has more settings";
    User: "user", Some("PGUSER"), None, false, "the user's name";
    Password: "password", Some("PGPASSWORD"), None, true, "the password";
    PassFile: "passfile", Some("PGPASSFILE"), None, false, "the file of passwords";
    ChannelBinding: "channel_binding", Some("PGCHANNELBINDING"), Some("prefer"), false,
        "whether SCRAM is bound to the TLS connection";
    ConnectTimeout: "connect_timeout", Some("PGCONNECT_TIMEOUT"), None, false, "seconds for each address";
    Database: "dbname", Some("PGDATABASE"), None, false, "the database";
    Host: "host", Some("PGHOST"), None, false, "names of hosts, or directories of Unix sockets, separated by commas";
    HostAddress: "hostaddr", Some("PGHOSTADDR"), None, false, "IP addresses of hosts, separated by commas";
    Port: "port", Some("PGPORT"), Some("5432"), false, "ports, separated by commas";
    ClientEncoding: "client_encoding", Some("PGCLIENTENCODING"), None, false, "the encoding of text";
    Options: "options", Some("PGOPTIONS"), Some(""), false, "command-line options for the server's process";
    ApplicationName: "application_name", Some("PGAPPNAME"), None, false, "the application's name";
    FallbackApplicationName: "fallback_application_name", None, None, false,
        "the application's name if nothing else sets it";
    Keepalives: "keepalives", None, None, false, "whether TCP looks after the peer";
    KeepalivesIdle: "keepalives_idle", None, None, false, "seconds of silence before TCP's first look";
    KeepalivesInterval: "keepalives_interval", None, None, false, "seconds between TCP's looks";
    KeepalivesCount: "keepalives_count", None, None, false, "how many of TCP's looks may go without an answer";
    TcpUserTimeout: "tcp_user_timeout", None, None, false,
        "milliseconds that sent bytes may go without being acknowledged";
    SslMode: "sslmode", Some("PGSSLMODE"), Some("prefer"), false, "whether TLS is used";
    SslNegotiation: "sslnegotiation", Some("PGSSLNEGOTIATION"), Some("postgres"), false, "how TLS begins";
    SslCompression: "sslcompression", Some("PGSSLCOMPRESSION"), Some("0"), false, "ignored";
    SslCert: "sslcert", Some("PGSSLCERT"), None, false, "the file of the client's certificate";
    SslKey: "sslkey", Some("PGSSLKEY"), None, false, "the file of the client's private key";
    SslCertMode: "sslcertmode", Some("PGSSLCERTMODE"), Some("allow"), false,
        "whether the client's certificate is sent";
    SslPassword: "sslpassword", None, None, true, "the password of the private key";
    SslRootCert: "sslrootcert", Some("PGSSLROOTCERT"), None, false,
        "the file of certificates that are trusted, or `system`";
    SslCrl: "sslcrl", Some("PGSSLCRL"), None, false, "the file of revoked certificates";
    SslCrlDir: "sslcrldir", Some("PGSSLCRLDIR"), None, false, "the directory of revoked certificates";
    SslSni: "sslsni", Some("PGSSLSNI"), Some("1"), false, "whether TLS names the host";
    RequirePeer: "requirepeer", Some("PGREQUIREPEER"), None, false,
        "the operating system's user that the server must run as, for Unix sockets";
    RequireAuth: "require_auth", Some("PGREQUIREAUTH"), None, false,
        "the methods by which the server may authenticate the client";
    MinProtocolVersion: "min_protocol_version", Some("PGMINPROTOCOLVERSION"), None, false,
        "the lowest version of the protocol";
    MaxProtocolVersion: "max_protocol_version", Some("PGMAXPROTOCOLVERSION"), None, false,
        "the highest version of the protocol";
    SslMinProtocolVersion: "ssl_min_protocol_version", Some("PGSSLMINPROTOCOLVERSION"), Some("TLSv1.2"), false,
        "the lowest version of TLS";
    SslMaxProtocolVersion: "ssl_max_protocol_version", Some("PGSSLMAXPROTOCOLVERSION"), None, false,
        "the highest version of TLS";
    GssEncMode: "gssencmode", Some("PGGSSENCMODE"), Some("prefer"), false, "whether GSSAPI encrypts";
    KrbSrvName: "krbsrvname", Some("PGKRBSRVNAME"), Some("postgres"), false, "the name of the Kerberos service";
    GssLib: "gsslib", Some("PGGSSLIB"), None, false, "which GSSAPI library is used";
    GssDelegation: "gssdelegation", Some("PGGSSDELEGATION"), Some("0"), false,
        "whether credentials are delegated to the server";
    Replication: "replication", None, None, false, "whether this is a replication connection";
    TargetSessionAttrs: "target_session_attrs", Some("PGTARGETSESSIONATTRS"), Some("any"), false,
        "what the server must be";
    LoadBalanceHosts: "load_balance_hosts", Some("PGLOADBALANCEHOSTS"), Some("disable"), false,
        "whether hosts and addresses are tried in random order";
    ScramClientKey: "scram_client_key", None, None, true, "SCRAM's client key, for pass-through";
    ScramServerKey: "scram_server_key", None, None, true, "SCRAM's server key, for pass-through";
    OAuthIssuer: "oauth_issuer", None, None, false, "the OAuth issuer that is trusted";
    OAuthClientId: "oauth_client_id", None, None, false, "the OAuth client's identifier";
    OAuthClientSecret: "oauth_client_secret", None, None, true, "the OAuth client's secret";
    OAuthScope: "oauth_scope", None, None, false, "the OAuth scope";
    SslKeyLogFile: "sslkeylogfile", None, None, false, "the file to log TLS's keys to, for debugging";
}

impl Keyword {
    /// The keyword of this name. Case counts.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|keyword| keyword.name().as_bytes() == name)
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
