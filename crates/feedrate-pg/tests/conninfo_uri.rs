//! The URIs of libpq's `t/001_uri.pl`, and what becomes of each.

use feedrate_pg::conninfo::{Keyword, ParseError, Problem, Settings, SslMode};

/// What it sets, in libpq's order, and whether its only server is reached over TCP.
const VALID: &[(&str, &str, &str)] = &[
    (
        "postgresql://uri-user:secret@host:12345/db",
        "user=uri-user password=secret dbname=db host=host port=12345",
        "inet",
    ),
    ("postgresql://uri-user@host:12345/db", "user=uri-user dbname=db host=host port=12345", "inet"),
    ("postgresql://uri-user@host/db", "user=uri-user dbname=db host=host", "inet"),
    ("postgresql://host:12345/db", "dbname=db host=host port=12345", "inet"),
    ("postgresql://host/db", "dbname=db host=host", "inet"),
    ("postgresql://uri-user@host:12345/", "user=uri-user host=host port=12345", "inet"),
    ("postgresql://uri-user@host/", "user=uri-user host=host", "inet"),
    ("postgresql://uri-user@", "user=uri-user", "local"),
    ("postgresql://host:12345/", "host=host port=12345", "inet"),
    ("postgresql://host:12345", "host=host port=12345", "inet"),
    ("postgresql://host/", "host=host", "inet"),
    ("postgresql://host", "host=host", "inet"),
    ("postgresql://", "", "local"),
    ("postgresql://?hostaddr=127.0.0.1", "hostaddr=127.0.0.1", "inet"),
    ("postgresql://example.com?hostaddr=63.1.2.4", "host=example.com hostaddr=63.1.2.4", "inet"),
    ("postgresql://%68ost/", "host=host", "inet"),
    ("postgresql://host/db?user=uri-user", "user=uri-user dbname=db host=host", "inet"),
    ("postgresql://host/db?user=uri-user&port=12345", "user=uri-user dbname=db host=host port=12345", "inet"),
    (
        "postgresql://host/db?u%73er=someotheruser&port=12345",
        "user=someotheruser dbname=db host=host port=12345",
        "inet",
    ),
    ("postgresql://host:12345?user=uri-user", "user=uri-user host=host port=12345", "inet"),
    ("postgresql://host?user=uri-user", "user=uri-user host=host", "inet"),
    ("postgresql://host?  user = uri-user & port  = 12345 ", "user=uri-user host=host port=12345", "inet"),
    ("postgresql://host?", "host=host", "inet"),
    ("postgresql://[::1]:12345/db", "dbname=db host=::1 port=12345", "inet"),
    ("postgresql://[::1]/db", "dbname=db host=::1", "inet"),
    ("postgresql://[2001:db8::1234]/", "host=2001:db8::1234", "inet"),
    ("postgresql://[200z:db8::1234]/", "host=200z:db8::1234", "inet"),
    ("postgresql://[::1]", "host=::1", "inet"),
    ("postgres://", "", "local"),
    ("postgres:///", "", "local"),
    ("postgres:///db", "dbname=db", "local"),
    ("postgres://uri-user@/db", "user=uri-user dbname=db", "local"),
    ("postgres://?host=/path/to/socket/dir", "host=/path/to/socket/dir", "local"),
    ("postgres://@host", "host=host", "inet"),
    ("postgres://host:/", "host=host", "inet"),
    ("postgres://:12345/", "port=12345", "local"),
    ("postgres://otheruser@?host=/no/such/directory", "user=otheruser host=/no/such/directory", "local"),
    ("postgres://otheruser@/?host=/no/such/directory", "user=otheruser host=/no/such/directory", "local"),
    ("postgres://otheruser@:12345?host=/no/such", "user=otheruser host=/no/such port=12345", "local"),
    ("postgres://otheruser@:12345/db?host=/path", "user=otheruser dbname=db host=/path port=12345", "local"),
    ("postgres://:12345/db?host=/path/to/socket", "dbname=db host=/path/to/socket port=12345", "local"),
    ("postgres://:12345?host=/path/to/socket", "host=/path/to/socket port=12345", "local"),
    ("postgres://%2Fvar%2Flib%2Fpostgresql/dbname", "dbname=dbname host=/var/lib/postgresql", "local"),
    // Not in that file: several hosts, and what JDBC and old versions call sslmode.
    ("postgres://a:1,[::1]:2,c/db", "dbname=db host=a,::1,c port=1,2,", "inet"),
    ("postgres://a,b", "host=a,b port=,", "inet"),
    ("postgres://host?ssl=true", "host=host sslmode=require", "inet"),
    ("postgres://host?requiressl=1", "host=host sslmode=require", "inet"),
    ("postgres://host?requiressl=0&sslmode=allow", "host=host sslmode=allow", "inet"),
    ("postgres://a?host=b&host=c", "host=c", "inet"),
    ("postgres://host/d@b", "dbname=d@b host=host", "inet"),
    (
        "postgres://us%3Aer:p%40ss@h/d%2Fb?options=-c%20a%3Db",
        "user=us:er password=p@ss dbname=d/b host=h options=-c a=b",
        "inet",
    ),
];

/// Where it is wrong, and how.
const INVALID: &[(&str, usize, Problem)] = &[
    ("postgresql://host/db?u%7aer=someotheruser&port=12345", 21, Problem::UnknownKeyword),
    ("postgresql://host?  user user  =  uri  & port = 12345 12 ", 24, Problem::Space),
    ("postgresql://host?  user  =  uri-user  & port = 12345 12 ", 53, Problem::Space),
    ("postgresql://host?uzer=", 18, Problem::UnknownKeyword),
    ("postgre://", 0, Problem::NoEquals),
    ("postgres://[::1", 11, Problem::UnmatchedBracket),
    ("postgres://[]", 12, Problem::EmptyBrackets),
    ("postgres://[::1]z", 16, Problem::AfterBracket),
    ("postgresql://host?zzz", 18, Problem::NoEquals),
    ("postgresql://host?value1&value2", 18, Problem::NoEquals),
    ("postgresql://host?key=key=value", 25, Problem::ExtraEquals),
    ("postgres://host?dbname=%XXfoo", 23, Problem::Percent),
    ("postgresql://a%00b", 14, Problem::Nul),
    ("postgresql://%zz", 13, Problem::Percent),
    ("postgresql://%1", 13, Problem::Percent),
    ("postgresql://%", 13, Problem::Percent),
    // Not in that file.
    ("postgresql://host?value1&user=a", 18, Problem::NoEquals),
    ("postgresql://host?ssl=false", 18, Problem::UnknownKeyword),
    ("postgresql://a%4:1", 14, Problem::Percent),
    ("postgresql://a\0b", 14, Problem::Nul),
];

fn listed(settings: &Settings<Vec<u8>>) -> String {
    settings.iter().map(|(keyword, value)| format!("{keyword}={value}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn valid_uris() {
    for (uri, expected, reached) in VALID {
        let mut settings = Settings::new(Vec::new());
        settings.parse(uri).unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert_eq!(listed(&settings), *expected, "{uri}");
        let hosts = settings.hosts().unwrap_or_else(|error| panic!("{uri}: {error}")).unnamed("/tmp");
        let host = hosts.get(0).unwrap_or_else(|| panic!("{uri}"));
        assert_eq!(host.is_unix(), *reached == "local", "{uri}");
    }
}

#[test]
fn invalid_uris_change_nothing() {
    for (uri, at, problem) in INVALID {
        let mut settings = Settings::new(Vec::new());
        settings.parse("user=before host=there").unwrap();
        assert_eq!(settings.parse(uri), Err(ParseError { at: *at, problem: *problem }), "{uri}");
        assert_eq!(listed(&settings), "user=before host=there", "{uri}");
        assert_eq!(settings.into_memory().len(), "beforethere".len(), "{uri}");
    }
}

#[test]
fn the_systems_certificates_make_verify_full_the_default() {
    let with_system = |uri: &str| {
        let mut settings = Settings::new(Vec::new());
        settings.parse(uri).unwrap();
        settings.environment(|name| (name == "PGSSLROOTCERT").then_some("system")).unwrap();
        settings
    };
    assert_eq!(
        with_system("postgresql://host").options().map(|options| options.ssl_mode),
        Ok(SslMode::VerifyFull)
    );
    for mode in ["disable", "prefer"] {
        let settings = with_system(&format!("postgresql://host?sslmode={mode}"));
        assert_eq!(settings.get(Keyword::SslMode).map(|mode| mode.to_string()).as_deref(), Some(mode));
        assert_eq!(
            settings.options().unwrap_err().to_string(),
            "sslrootcert=system needs sslmode=verify-full"
        );
    }
    assert!(with_system("postgresql://host?sslmode=verify-full").options().is_ok());
}

#[test]
fn fixed_memory_is_enough_at_twice_the_text_and_reports_when_it_is_not() {
    for (uri, expected, _) in VALID {
        let mut memory = vec![0; uri.len() * 2];
        let mut settings = Settings::new(feedrate::SliceOutput::new(&mut memory));
        settings.parse(uri).unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert_eq!(
            settings.iter().count(),
            expected.matches('=').count() - expected.matches(" a=").count(),
            "{uri}"
        );

        let mut settings = Settings::new(feedrate::SliceOutput::new(&mut []));
        let result = settings.parse(uri);
        if expected.is_empty() {
            assert_eq!(result, Ok(()));
        } else {
            assert_eq!(result.map_err(|error| error.problem), Err(Problem::Full), "{uri}");
        }
    }
}
