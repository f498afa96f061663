//! The command line, the environment, and the files that they name.

use std::path::PathBuf;

use feedrate_io::pg::{Connector, Session};
use feedrate_pg::conninfo::{Keyword, Settings};

use crate::trust;

pub(crate) const USAGE: &str = "\
usage: pg_client [-i FILE] [-o FILE] CONNECTION SQL...

  CONNECTION   postgresql://USER@HOST:PORT/DATABASE?sslmode=... or \"host=... user=...\", or a database's name
  -i FILE      the data of a COPY FROM STDIN; otherwise standard input
  -o FILE      for the data of a COPY TO STDOUT; otherwise standard output";

pub(crate) struct Options {
    settings: Settings<Vec<u8>>,
    pub(crate) input: Option<PathBuf>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) sql: Vec<String>,
}

impl Options {
    /// `None`: help is wanted.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options =
            Self { settings: Settings::new(Vec::new()), input: None, output: None, sql: Vec::new() };
        let mut connection = None;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().map(PathBuf::from).ok_or(format!("{argument} needs a file"));
            match argument.as_str() {
                "--help" => return Ok(None),
                "-i" => options.input = Some(value()?),
                "-o" => options.output = Some(value()?),
                _ if argument.starts_with('-') => return Err(format!("there is no option {argument}")),
                _ if connection.is_none() => connection = Some(argument),
                _ => options.sql.push(argument),
            }
        }
        let connection = connection.ok_or("a connection is missing")?;
        if options.sql.is_empty() {
            return Err("SQL is missing".into());
        }
        options.set(&connection).map_err(|error| error.to_string())?;
        Ok(Some(options))
    }

    /// In libpq's order: what is said first wins.
    fn set(&mut self, connection: &str) -> Result<(), Box<dyn std::error::Error>> {
        let (settings, variable) = (&mut self.settings, |name: &str| std::env::var(name).ok());
        settings.parse_database(connection)?;
        let service = settings.get(Keyword::Service).map(|name| name.to_string());
        if let Some(name) = service.or_else(|| variable("PGSERVICE")) {
            let home = variable("HOME").map(|home| format!("{home}/.pg_service.conf"));
            let mut files = vec![variable("PGSERVICEFILE").or(home)];
            files.push(variable("PGSYSCONFDIR").map(|folder| format!("{folder}/pg_service.conf")));
            let texts = files.into_iter().flatten().filter_map(|path| std::fs::read(path).ok());
            let mut found = false;
            for text in texts {
                found = found || settings.service(&name, text)?;
            }
            if !found {
                return Err(format!("there is no service {name:?}").into());
            }
        }
        settings.environment(variable)?;
        if let Some(user) = variable("USER") {
            settings.set_default(Keyword::User, user)?;
        }
        settings.set_default(Keyword::FallbackApplicationName, "pg_client")?;
        // It prints text to a terminal.
        settings.set_default(Keyword::ClientEncoding, "UTF8")?;
        Ok(())
    }

    pub(crate) async fn connect(&self) -> Result<Session, Box<dyn std::error::Error>> {
        let settings = &self.settings;
        let path = settings.get(Keyword::PassFile).map(|path| path.to_string());
        let path = path.or_else(|| Some(format!("{}/.pgpass", std::env::var("HOME").ok()?)));
        let passwords = path.and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        let connector = Connector::new(settings.clone()).roots(trust::roots(settings)?).passfile(passwords);
        Ok(connector.connect().await?)
    }
}
