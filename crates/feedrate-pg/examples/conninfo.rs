//! Shows what a connection string means, with the service file, the environment and the file of passwords.
//!
//! ```sh
//! cargo run --example conninfo -- "postgresql://alice@db1,db2:5433/sales?sslmode=require"
//! ```
//!
//! One line has the settings, and one line follows for each server that is tried if none can be reached. With `--text`
//! there is only what the text says, with `--sources` what the other sources say too, but no servers. `--secrets` shows
//! passwords, `--keywords` what can be set, with variables of the environment and defaults.

use std::error::Error;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::{env, fs};

use feedrate_pg::conninfo::{Attempt, Attempts, Failure, Host, Keyword, Settings, Step, Transport, passfile};

fn main() {
    let (options, texts): (Vec<_>, Vec<_>) =
        env::args_os().skip(1).partition(|text| text.as_bytes().starts_with(b"--"));
    let has = |option: &str| options.iter().any(|given| given == option);
    if has("--keywords") {
        for keyword in Keyword::ALL {
            let default = keyword.default_value().map_or("-".into(), |value| format!("'{value}'"));
            println!("{keyword} {} {default}", keyword.environment().unwrap_or("-"));
        }
    }
    let servers = !has("--text") && !has("--sources");
    for text in texts {
        let settings = if has("--text") { parse(text) } else { complete(text) };
        match settings.and_then(|settings| show(&settings, has("--secrets"), servers)) {
            Ok(lines) => println!("{lines}"),
            Err(error) => println!("error: {error}"),
        }
    }
}

fn parse(text: OsString) -> Result<Settings<Vec<u8>>, Box<dyn Error>> {
    let mut settings = Settings::new(Vec::new());
    settings.parse(text.into_vec())?;
    Ok(settings)
}

/// With all that libpq looks at.
fn complete(text: OsString) -> Result<Settings<Vec<u8>>, Box<dyn Error>> {
    let mut settings = parse(text)?;
    let service = settings.get(Keyword::Service).map(|name| name.as_bytes().to_vec());
    if let Some(service) = service.or(env::var_os("PGSERVICE").map(OsString::into_vec)) {
        let own = env::var_os("PGSERVICEFILE").map(PathBuf::from);
        let shared = env::var_os("PGSYSCONFDIR").map(|folder| PathBuf::from(folder).join("pg_service.conf"));
        let files = [own.or(home(".pg_service.conf")), shared].into_iter().flatten();
        let mut found = false;
        for file in files.filter_map(|path| fs::read(path).ok()) {
            found = found || settings.service(&service, file)?;
        }
        if !found {
            return Err("no such service".into());
        }
    }
    settings.environment(|name| env::var_os(name).map(OsString::into_vec))?;
    if let Some(user) = env::var_os("USER") {
        settings.set_default(Keyword::User, user.into_vec())?;
    }
    Ok(settings)
}

fn show(settings: &Settings<Vec<u8>>, secrets: bool, servers: bool) -> Result<String, Box<dyn Error>> {
    let shown = settings.iter().map(|(keyword, value)| match keyword.is_secret() && !secrets {
        true => format!("{keyword}='***'"),
        false => format!("{keyword}='{}'", value.as_bytes().escape_ascii()),
    });
    let mut lines = vec![shown.collect::<Vec<_>>().join(" ")];
    if servers {
        // libpq's own default; Debian's is another.
        let mut attempts = Attempts::new(settings.hosts()?.unnamed("/tmp"), settings.options()?, 0);
        while let Some(step) = attempts.step() {
            let Step::Connect(Attempt { host, transport, .. }) = step else {
                attempts.resolved(1);
                continue;
            };
            let password = match password(settings, &host)? {
                Some(password) if secrets => format!("password='{}'", password.escape_ascii()),
                password => format!("password={}", if password.is_some() { "yes" } else { "no" }),
            };
            let Host { name, address, port, .. } = host;
            let first = match transport {
                Transport::Plain => "plain",
                Transport::Tls => "tls",
                Transport::DirectTls => "direct",
            };
            lines.push(format!("  name='{name}' address='{address}' port={port} {first} {password}"));
            attempts.failed(Failure::Unreachable);
        }
    }
    Ok(lines.join("\n"))
}

/// That of the settings, or else that of the file.
fn password(settings: &Settings<Vec<u8>>, host: &Host) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    if let Some(password) = settings.password() {
        return Ok(Some(password.expose().to_vec()));
    }
    let (database, user) = (settings.database()?.as_bytes(), settings.user()?.as_bytes());
    let named = settings.get(Keyword::PassFile).filter(|path| !path.is_empty());
    let path = named.map(|path| OsString::from_vec(path.as_bytes().to_vec()).into()).or(home(".pgpass"));
    let file = path.and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let found = passfile::find(&file, host.passfile_name(), host.port, database, user);
    Ok(found.map(|password| password.bytes().collect()))
}

fn home(file: &str) -> Option<PathBuf> {
    env::var_os("HOME").map(|home| PathBuf::from(home).join(file))
}
