//! Where to.

use std::error::Error;

use feedrate_io::pg::Connector;
use feedrate_pg::conninfo::Settings;

pub(crate) type Failure = Box<dyn Error>;

pub(crate) fn connector(connection: &str) -> Result<Connector, Failure> {
    let mut settings = Settings::new(Vec::new());
    settings.parse(connection)?;
    Ok(Connector::new(settings))
}
