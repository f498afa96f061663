//! The keywords of libpq 18, and the values that have types.

use std::time::Duration;

use feedrate::pg::Version;
use feedrate_pg::conninfo::{
    ChannelBinding, GssEncMode, Invalid, Keepalives, Keyword, LoadBalanceHosts, Settings, SslCertMode,
    SslMode, SslNegotiation, TargetSessionAttrs, TlsVersion,
};

/// Name, variable of the environment, default: those of libpq's table, and sslcertmode's, which libpq has elsewhere.
const KEYWORDS: &str = "
    service PGSERVICE -
    user PGUSER -
    password PGPASSWORD -
    passfile PGPASSFILE -
    channel_binding PGCHANNELBINDING 'prefer'
    connect_timeout PGCONNECT_TIMEOUT -
    dbname PGDATABASE -
    host PGHOST -
    hostaddr PGHOSTADDR -
    port PGPORT '5432'
    client_encoding PGCLIENTENCODING -
    options PGOPTIONS ''
    application_name PGAPPNAME -
    fallback_application_name - -
    keepalives - -
    keepalives_idle - -
    keepalives_interval - -
    keepalives_count - -
    tcp_user_timeout - -
    sslmode PGSSLMODE 'prefer'
    sslnegotiation PGSSLNEGOTIATION 'postgres'
    sslcompression PGSSLCOMPRESSION '0'
    sslcert PGSSLCERT -
    sslkey PGSSLKEY -
    sslcertmode PGSSLCERTMODE 'allow'
    sslpassword - -
    sslrootcert PGSSLROOTCERT -
    sslcrl PGSSLCRL -
    sslcrldir PGSSLCRLDIR -
    sslsni PGSSLSNI '1'
    requirepeer PGREQUIREPEER -
    require_auth PGREQUIREAUTH -
    min_protocol_version PGMINPROTOCOLVERSION -
    max_protocol_version PGMAXPROTOCOLVERSION -
    ssl_min_protocol_version PGSSLMINPROTOCOLVERSION 'TLSv1.2'
    ssl_max_protocol_version PGSSLMAXPROTOCOLVERSION -
    gssencmode PGGSSENCMODE 'prefer'
    krbsrvname PGKRBSRVNAME 'postgres'
    gsslib PGGSSLIB -
    gssdelegation PGGSSDELEGATION '0'
    replication - -
    target_session_attrs PGTARGETSESSIONATTRS 'any'
    load_balance_hosts PGLOADBALANCEHOSTS 'disable'
    scram_client_key - -
    scram_server_key - -
    oauth_issuer - -
    oauth_client_id - -
    oauth_client_secret - -
    oauth_scope - -
    sslkeylogfile - -
";

#[test]
fn the_keywords_are_libpqs() {
    let expected: Vec<_> = KEYWORDS.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let keywords = Keyword::ALL.map(|keyword| {
        let default = keyword.default_value().map_or("-".into(), |value| format!("'{value}'"));
        format!("{keyword} {} {default}", keyword.environment().unwrap_or("-"))
    });
    assert_eq!(keywords.to_vec(), expected);
    let secrets: Vec<_> =
        Keyword::ALL.into_iter().filter(|keyword| keyword.is_secret()).map(Keyword::name).collect();
    assert_eq!(
        secrets,
        ["password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"]
    );
    for keyword in Keyword::ALL {
        assert_eq!(Keyword::from_name(keyword.name().as_bytes()), Some(keyword));
        assert!(!keyword.about().is_empty());
    }
}

fn settings(text: &str) -> Settings<Vec<u8>> {
    let mut settings = Settings::new(Vec::new());
    settings.parse(text).unwrap();
    settings
}

#[test]
fn defaults() {
    let options = settings("").options().unwrap();
    assert_eq!(options.ssl_mode, SslMode::Prefer);
    assert_eq!(options.ssl_negotiation, SslNegotiation::Postgres);
    assert_eq!(options.gss_enc_mode, GssEncMode::Prefer);
    assert_eq!(options.ssl_cert_mode, SslCertMode::Allow);
    assert!(options.ssl_sni);
    assert_eq!((options.min_tls, options.max_tls), (Some(TlsVersion::V1_2), None));
    assert_eq!(options.channel_binding, ChannelBinding::Prefer);
    assert_eq!(options.target_session_attrs, TargetSessionAttrs::Any);
    assert_eq!(options.load_balance_hosts, LoadBalanceHosts::Disable);
    assert_eq!((options.connect_timeout, options.tcp_user_timeout), (None, None));
    assert_eq!(options.keepalives, Some(Keepalives::default()));
    assert_eq!((options.min_version, options.max_version), (Version::V3_0, Version::V3_0));
}

#[test]
fn everything_set() {
    let options = settings(
        "sslmode=verify-ca sslnegotiation=direct gssencmode=disable sslcertmode=require sslsni=0 channel_binding=require
         ssl_min_protocol_version=tlsv1.1 ssl_max_protocol_version=TLSv1.3 target_session_attrs=standby
         load_balance_hosts=random connect_timeout=9 keepalives=1 keepalives_idle=2 keepalives_interval=3
         keepalives_count=4 tcp_user_timeout=5 min_protocol_version=3.0 max_protocol_version=latest",
    );
    let options = options.options().unwrap();
    assert_eq!(options.ssl_mode, SslMode::VerifyCa);
    assert_eq!(options.ssl_negotiation, SslNegotiation::Direct);
    assert_eq!(options.gss_enc_mode, GssEncMode::Disable);
    assert_eq!(options.ssl_cert_mode, SslCertMode::Require);
    assert!(!options.ssl_sni);
    assert_eq!((options.min_tls, options.max_tls), (Some(TlsVersion::V1_1), Some(TlsVersion::V1_3)));
    assert_eq!(options.channel_binding, ChannelBinding::Require);
    assert_eq!(options.target_session_attrs, TargetSessionAttrs::Standby);
    assert_eq!(options.load_balance_hosts, LoadBalanceHosts::Random);
    assert_eq!(options.connect_timeout, Some(Duration::from_secs(9)));
    assert_eq!(options.tcp_user_timeout, Some(Duration::from_millis(5)));
    let keepalives = options.keepalives.unwrap();
    assert_eq!(
        (keepalives.idle, keepalives.interval),
        (Some(Duration::from_secs(2)), Some(Duration::from_secs(3)))
    );
    assert_eq!(keepalives.count, Some(4));
    assert_eq!((options.min_version, options.max_version), (Version::V3_0, Version::V3_2));

    assert_eq!(settings("keepalives=0 keepalives_idle=2").options().unwrap().keepalives, None);
    // A minimum alone makes the maximum the latest.
    assert_eq!(settings("min_protocol_version=3.2").options().unwrap().max_version, Version::V3_2);
    // Nothing, or less, is no limit.
    for none in ["0", "-1"] {
        let options =
            settings(&format!("connect_timeout={none} tcp_user_timeout={none} keepalives_count={none}"));
        let options = options.options().unwrap();
        assert_eq!((options.connect_timeout, options.tcp_user_timeout), (None, None));
        assert_eq!(options.keepalives, Some(Keepalives::default()));
    }
    assert_eq!(settings("ssl_min_protocol_version=''").options().unwrap().min_tls, None);
}

#[test]
fn values_that_cannot_be() {
    let typed =
        "channel_binding connect_timeout keepalives keepalives_idle keepalives_interval keepalives_count
        tcp_user_timeout sslmode sslnegotiation sslcertmode min_protocol_version max_protocol_version
        ssl_min_protocol_version ssl_max_protocol_version gssencmode target_session_attrs load_balance_hosts";
    for name in typed.split_whitespace() {
        let error = settings(&format!("{name}=wrong")).options().unwrap_err();
        let Invalid::Value { keyword, expected } = error else { panic!("{name}: {error:?}") };
        assert_eq!(keyword.name(), name);
        assert_eq!(error.to_string(), format!("{name}: expected {expected}"));
    }
    // All others are texts.
    for keyword in Keyword::ALL
        .into_iter()
        .filter(|keyword| !typed.split_whitespace().any(|name| name == keyword.name()))
    {
        let mut settings = settings("");
        settings.set(keyword, "anything").unwrap();
        assert!(settings.options().is_ok(), "{keyword}");
    }
    for (text, expected) in [
        ("sslnegotiation=direct", Invalid::DirectNeedsTls),
        ("sslnegotiation=direct sslmode=allow", Invalid::DirectNeedsTls),
        ("sslrootcert=system sslmode=verify-ca", Invalid::SystemNeedsVerifyFull),
        ("ssl_max_protocol_version=TLSv1.1", Invalid::TlsRange),
        ("gssencmode=require", Invalid::GssEncryption),
        ("min_protocol_version=3.2 max_protocol_version=3.0", Invalid::ProtocolRange),
    ] {
        assert_eq!(settings(text).options(), Err(expected), "{text}");
    }
    assert_eq!(settings("").user(), Err(Invalid::NoUser));
    assert!(settings("password=''").password().is_none());
    assert_eq!(format!("{:?}", settings("password=abc").password()), "Some(Secret(3 bytes))");
    assert!(settings("user=''").startup_parameters().is_err());
}
