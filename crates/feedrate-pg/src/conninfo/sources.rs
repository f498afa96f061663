//! Where settings come from: connection strings, service files, the environment.

use feedrate::Output;

use super::settings::{Settings, no_nul};
use super::{Keyword, ParseError, pairs, service, uri};

impl<M: Output + AsRef<[u8]>> Settings<M> {
    /// Reads a connection string: a URI if it begins with `postgresql://` or `postgres://`, else keywords and values.
    ///
    /// A keyword that is set more than once has its last value.
    ///
    /// # Errors
    ///
    /// [`ParseError`]. Then the settings are as before.
    ///
    /// ```
    /// use feedrate_pg::conninfo::{Keyword, Settings};
    ///
    /// let mut settings = Settings::new(heapless::Vec::<u8, 64>::new());
    /// settings.parse(r"host=/run/postgresql dbname='it\'s' connect_timeout = 10")?;
    /// assert_eq!(settings.get(Keyword::Database).unwrap(), "it's");
    ///
    /// settings.parse("postgres://[::1]:5433,db.example.com/s%61les?ssl=true")?;
    /// assert_eq!(settings.get(Keyword::Host).unwrap(), "::1,db.example.com");
    /// assert_eq!(settings.get(Keyword::Port).unwrap(), "5433,");
    /// assert_eq!(settings.get(Keyword::Database).unwrap(), "sales");
    /// assert_eq!(settings.get(Keyword::SslMode).unwrap(), "require");
    /// assert_eq!(settings.get(Keyword::ConnectTimeout).unwrap(), "10");
    /// # Ok::<(), feedrate_pg::conninfo::ParseError>(())
    /// ```
    pub fn parse(&mut self, text: impl AsRef<[u8]>) -> Result<(), ParseError> {
        let text = text.as_ref();
        self.all_or_nothing(|settings| {
            no_nul(text)?;
            match uri::prefix(text) {
                Some(start) => uri::parse(settings, text, start),
                None => pairs::parse(settings, text),
            }
        })
    }

    /// As `psql` reads the name of a database: a connection string if it looks like one, else a name.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_database(&mut self, text: impl AsRef<[u8]>) -> Result<(), ParseError> {
        let text = text.as_ref();
        if uri::prefix(text).is_some() || text.contains(&b'=') {
            self.parse(text)
        } else {
            self.set(Keyword::Database, text)
        }
    }

    /// Reads a section of a service file, for what is not set yet. Returns whether there is such a section.
    ///
    /// Which section: [`Keyword::Service`], or the variable `PGSERVICE` of the environment. Which file: libpq looks
    /// at the one that `PGSERVICEFILE` names, or at `~/.pg_service.conf`; if the section is not there, at
    /// `pg_service.conf` in the directory that `PGSYSCONFDIR` names.
    ///
    /// Spaces around `=` and quotation marks mean nothing here: a value is what follows `=`.
    ///
    /// # Errors
    ///
    /// [`ParseError`]. Then the settings are as before.
    pub fn service(&mut self, name: impl AsRef<[u8]>, file: impl AsRef<[u8]>) -> Result<bool, ParseError> {
        self.all_or_nothing(|settings| service::parse(settings, name.as_ref(), file.as_ref()))
    }

    /// Asks for the environment's variables, for what is not set yet.
    ///
    /// Variables that libpq knows without a keyword are left to the program: `PGSERVICEFILE`, `PGSYSCONFDIR`,
    /// `PGDATESTYLE`, `PGTZ`, `PGGEQO`.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: `at` is the offset in a variable's value. Then the settings are as before.
    ///
    /// ```no_run
    /// # use feedrate_pg::conninfo::Settings;
    /// # let mut settings = Settings::new(Vec::new());
    /// settings.environment(|name| std::env::var(name).ok())?;
    /// # Ok::<(), feedrate_pg::conninfo::ParseError>(())
    /// ```
    pub fn environment<V: AsRef<[u8]>>(
        &mut self,
        mut variable: impl FnMut(&'static str) -> Option<V>,
    ) -> Result<(), ParseError> {
        self.all_or_nothing(|settings| {
            for keyword in Keyword::ALL {
                if settings.get(keyword).is_some() {
                    continue;
                }
                if let Some(value) = keyword.environment().and_then(&mut variable) {
                    settings.set(keyword, value)?;
                } else if keyword == Keyword::SslMode
                    && variable("PGREQUIRESSL").is_some_and(|value| value.as_ref().starts_with(b"1"))
                {
                    settings.set(keyword, "require")?;
                }
            }
            Ok(())
        })
    }
}
