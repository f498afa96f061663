//! What StartupMessage is made of.

use feedrate::Output;
use feedrate::pg::{Secret, Text};

use super::settings::Settings;
use super::{Invalid, Keyword};

impl<M: Output + AsRef<[u8]>> Settings<M> {
    /// The user's name.
    ///
    /// # Errors
    ///
    /// [`Invalid::NoUser`]. A program sets the operating system's user as default, as libpq does.
    pub fn user(&self) -> Result<Text<'_>, Invalid> {
        self.not_empty(Keyword::User).ok_or(Invalid::NoUser)
    }

    /// The password, if it is set and not empty: as [`get`](Self::get), but `Debug` does not show it.
    pub fn password(&self) -> Option<Secret<'_>> {
        self.not_empty(Keyword::Password).map(|password| Secret::from_bytes(password.as_bytes()))
    }

    /// The database's name. The default is the user's name.
    ///
    /// # Errors
    ///
    /// [`Invalid::NoUser`].
    pub fn database(&self) -> Result<Text<'_>, Invalid> {
        let user = self.user()?;
        Ok(self.not_empty(Keyword::Database).unwrap_or(user))
    }

    /// The parameters of StartupMessage, in libpq's order.
    ///
    /// `client_encoding=auto` becomes UTF8: libpq asks the locale.
    ///
    /// # Errors
    ///
    /// [`Invalid::NoUser`].
    ///
    /// ```
    /// use feedrate_pg::conninfo::Settings;
    ///
    /// let mut settings = Settings::new(Vec::new());
    /// settings.parse("postgresql://alice@?replication=database&fallback_application_name=copy")?;
    /// let parameters = settings.startup_parameters()?.map(|(name, value)| format!("{name}={value}"));
    /// let parameters: Vec<_> = parameters.collect();
    /// assert_eq!(parameters, ["user=alice", "database=alice", "replication=database", "application_name=copy"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn startup_parameters(&self) -> Result<impl Iterator<Item = (&'static str, Text<'_>)>, Invalid> {
        let application = self.get(Keyword::ApplicationName).or(self.get(Keyword::FallbackApplicationName));
        let encoding = self.not_empty(Keyword::ClientEncoding);
        let encoding = encoding.map(|name| if name == "auto" { Text::from("UTF8") } else { name });
        let parameters = [
            ("user", Some(self.user()?)),
            ("database", Some(self.database()?)),
            ("replication", self.not_empty(Keyword::Replication)),
            ("options", self.not_empty(Keyword::Options)),
            ("application_name", application.filter(|name| !name.is_empty())),
            ("client_encoding", encoding),
        ];
        Ok(parameters.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }

    fn not_empty(&self, keyword: Keyword) -> Option<Text<'_>> {
        self.get(keyword).filter(|value| !value.is_empty())
    }
}
