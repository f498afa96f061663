//! Keywords and values, service files, the environment, and files of passwords: which of them wins.

use feedrate_pg::conninfo::{Invalid, Keyword, ParseError, Place, Problem, Settings, passfile};

fn listed(settings: &Settings<Vec<u8>>) -> String {
    settings.iter().map(|(keyword, value)| format!("{keyword}={value}")).collect::<Vec<_>>().join(" ")
}

fn parsed(text: &str) -> Result<String, ParseError> {
    let mut settings = Settings::new(Vec::new());
    settings.parse(text)?;
    Ok(listed(&settings))
}

#[test]
fn keywords_and_values() {
    for (text, expected) in [
        ("", ""),
        (" \t\n", ""),
        ("host=a", "host=a"),
        ("host = a port\t=\n1", "host=a port=1"),
        ("dbname='my db' user=''", "user= dbname=my db"),
        (r"password=a\ b\\c\'d", r"password=a b\c'd"),
        (r"dbname='it\'s'host=a", "dbname=it's host=a"),
        (r"host=a\", "host=a"),
        ("host=a'b'", "host=a'b'"),
        ("host=a host=b", "host=b"),
        ("requiressl=1", "sslmode=require"),
        ("sslmode=disable requiressl=no", "sslmode=prefer"),
        ("host=", "host="),
        ("host= user=a", "host=user=a"),
        ("dbname=postgresql://x", "dbname=postgresql://x"),
    ] {
        assert_eq!(parsed(text).as_deref(), Ok(expected), "{text}");
    }
    for (text, at, problem) in [
        ("host", 0, Problem::NoEquals),
        ("host=a  port", 8, Problem::NoEquals),
        ("a b=c", 0, Problem::NoEquals),
        ("host=a Port=1", 7, Problem::UnknownKeyword),
        ("ssl=true", 0, Problem::UnknownKeyword),
        ("=a", 0, Problem::UnknownKeyword),
        ("host='a", 5, Problem::UnterminatedQuote),
        (r"host= 'a\'", 6, Problem::UnterminatedQuote),
        ("host=a\0", 6, Problem::Nul),
    ] {
        assert_eq!(parsed(text), Err(ParseError { at, problem }), "{text}");
    }
}

#[test]
fn a_database_that_is_a_connection_string() {
    for (text, expected) in [("sales", "dbname=sales"), ("host=a", "host=a"), ("postgres://a", "host=a")] {
        let mut settings = Settings::new(Vec::new());
        settings.parse_database(text).unwrap();
        assert_eq!(listed(&settings), expected);
    }
}

const SERVICES: &str = "# a comment, and what is in no section
host=nowhere
[other]
nonsense
[my_srv]
host=first
  port=5433\u{20}
host=second
password= it's \\ 'a'
#user=nobody

[my_srv]
user=after
";

#[test]
fn a_section_of_a_service_file() {
    let mut settings = Settings::new(Vec::new());
    assert_eq!(settings.service("undefined", SERVICES), Ok(false));
    assert_eq!(listed(&settings), "");
    assert_eq!(settings.service("my_srv", SERVICES), Ok(true));
    assert_eq!(listed(&settings), r"password= it's \ 'a' host=first port=5433");
    // The last line need not end.
    assert_eq!(Settings::new(Vec::new()).service("s", "[s]\r\nhost=a"), Ok(true));
    assert_eq!(Settings::new(Vec::new()).service("s", " [s]x\r\n"), Ok(true));
    assert_eq!(Settings::new(Vec::new()).service("s", "[ss]\n[S]\n"), Ok(false));

    for (file, at, problem) in [
        ("[s]\nhost=a\n nothing=1", 12, Problem::UnknownKeyword),
        ("[s]\nhost =a", 4, Problem::UnknownKeyword),
        ("[s]\n\n\tnothing", 6, Problem::NoEquals),
        ("[s]\nservice=t", 4, Problem::NestedService),
        ("[s]\nhost=\0", 9, Problem::Nul),
    ] {
        let mut settings = Settings::new(Vec::new());
        settings.parse("user=before").unwrap();
        assert_eq!(settings.service("s", file), Err(ParseError { at, problem }), "{file}");
        assert_eq!(listed(&settings), "user=before");
    }
}

#[test]
fn the_text_wins_then_the_service_then_the_environment_then_defaults() {
    let mut settings = Settings::new(Vec::new());
    settings.parse("postgres://text@?service=my_srv").unwrap();
    settings.service("my_srv", "[my_srv]\nuser=service\nport=1\n").unwrap();
    let variables = [("PGUSER", "env"), ("PGPORT", "2"), ("PGDATABASE", "env"), ("PGSSLMODE", "")];
    let variable = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
    settings.environment(variable).unwrap();
    settings.set_default(Keyword::Database, "default").unwrap();
    settings.set_default(Keyword::Host, "default").unwrap();
    assert_eq!(listed(&settings), "service=my_srv user=text dbname=env host=default port=1 sslmode=");
    // Set to nothing is set.
    assert!(settings.options().is_err());
    assert_eq!(
        settings.get_or_default(Keyword::ChannelBinding).map(|value| value.to_string()),
        Some("prefer".into())
    );

    settings.set(Keyword::User, "at last").unwrap();
    assert_eq!(settings.user().map(|user| user.to_string()), Ok("at last".into()));
    assert_eq!(settings.set(Keyword::User, "a\0"), Err(ParseError { at: 1, problem: Problem::Nul }));

    for (mode, require, expected) in
        [(None, "1", "require"), (None, "0", "prefer"), (Some("allow"), "1", "allow")]
    {
        let mut settings = Settings::new(Vec::new());
        let variable = |name: &str| match name {
            "PGSSLMODE" => mode,
            "PGREQUIRESSL" => Some(require),
            _ => None,
        };
        settings.environment(variable).unwrap();
        assert_eq!(settings.options().unwrap().ssl_mode.as_str(), expected);
    }
}

#[test]
fn hosts_addresses_and_ports_match() {
    for (text, expected) in [
        ("host=a,b hostaddr=1.1.1.1", Invalid::HostCount { names: 2, addresses: 1 }),
        ("host=a hostaddr=1.1.1.1,2.2.2.2", Invalid::HostCount { names: 1, addresses: 2 }),
        ("host=a,b,c port=1,2", Invalid::PortCount { ports: 2, hosts: 3 }),
        ("port=1,2", Invalid::PortCount { ports: 2, hosts: 1 }),
        ("hostaddr=1.1.1.1 port=,", Invalid::PortCount { ports: 2, hosts: 1 }),
    ] {
        let mut settings = Settings::new(Vec::new());
        settings.parse(text).unwrap();
        assert_eq!(settings.hosts(), Err(expected), "{text}");
    }
    for port in ["0", "65536", "-1", "a", "1 2", "0x1"] {
        let mut settings = Settings::new(Vec::new());
        settings.set(Keyword::Port, port).unwrap();
        assert!(matches!(settings.hosts(), Err(Invalid::Value { keyword: Keyword::Port, .. })), "{port}");
    }
    let mut settings = Settings::new(Vec::new());
    settings.parse("host=a,,/run,@abstract hostaddr=,::1,, port=1,' 2 '").unwrap_err();
    settings.parse("host=a,,/run,@abstract hostaddr=,::1,, port=',2 ,,+4'").unwrap();
    let places: Vec<_> = settings.hosts().unwrap().iter().map(|host| (host.place(), host.port)).collect();
    let expected = [Place::Name("a"), Place::Address("::1"), Place::Unix("/run"), Place::Unix("@abstract")];
    assert_eq!(places, expected.into_iter().zip([5432, 2, 5432, 4]).collect::<Vec<_>>());
    // One port is everybody's.
    settings.parse("port=7").unwrap();
    assert!(settings.hosts().unwrap().iter().all(|host| host.port == 7));
    settings.set(Keyword::Host, b"\xff").unwrap();
    assert!(settings.hosts().is_err());
}

#[test]
fn passwords_of_a_file() {
    let file = "#*:*:*:*:comment\n\nlocalhost:5432:db:user:one\r\n*:*:db:us\\:er:tw\\\\\\:o:rest\n::1:*:*:*:three\n\
                \\:\\:2:*:*:*:four\\\n*:5432:*:nobody:\n*:5432:*:no*:x\n/tmp:1:*:user:five\n*:*:*:*";
    let find = |host: &str, port, database: &str, user: &str| {
        let password = passfile::find(file, host, port, database, user)?;
        Some(String::from_utf8(password.bytes().collect()).unwrap())
    };
    assert_eq!(find("localhost", 5432, "db", "user").as_deref(), Some("one"));
    assert_eq!(find("localhost", 5433, "db", "user"), None);
    assert_eq!(find("x", 1, "db", "us:er").as_deref(), Some("tw\\:o"));
    // A colon that is not escaped is one all the same if the name has it.
    assert_eq!(find("::1", 1, "a", "b").as_deref(), Some("three"));
    assert_eq!(find("::2", 1, "a", "b").as_deref(), Some("four\\"));
    assert_eq!(find("x", 5432, "db", "nobody").as_deref(), Some(""));
    assert_eq!(find("x", 5432, "db", "no"), None, "a star stands only for a whole field");
    assert_eq!(find("localhost", 5432, "db", ""), None);
    assert_eq!(find("localhost", 5432, "", "user"), None);

    let mut out = heapless::Vec::<u8, 3>::new();
    assert!(passfile::find(file, "::1", 1, "a", "b").unwrap().write(&mut out).is_err());
    assert!(out.is_empty());
    passfile::find(file, "localhost", 5432, "db", "user").unwrap().write(&mut out).unwrap();
    assert_eq!(out, *b"one");

    // The default directory of sockets is localhost, another one is itself.
    for (text, unnamed, expected) in [
        ("", "/tmp", "localhost"),
        ("host=/tmp", "/tmp", "localhost"),
        ("host=/tmp", "/run", "/tmp"),
        ("host=/tmp hostaddr=::1", "/tmp", "localhost"),
        ("hostaddr=::1", "/tmp", "::1"),
        ("host=a hostaddr=::1", "/tmp", "a"),
        ("", "localhost", "localhost"),
    ] {
        let mut settings = Settings::new(Vec::new());
        settings.parse(text).unwrap();
        let host = settings.hosts().unwrap().unnamed(unnamed).get(0).unwrap();
        assert_eq!(host.passfile_name(), expected, "{text} {unnamed}");
    }
}
