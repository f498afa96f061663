//! Hints at what a session keeps.

/// What seems to have been touched in a session, by the tags of commands and by messages.
///
/// Hints, never a proof: a function can do all of this without a trace; `set_config`, advisory locks and temporary
/// tables made by CREATE TABLE AS do not show on the wire; and what has been touched in a transaction may have been
/// rolled
/// back. DISCARD ALL clears all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Session {
    /// SET or RESET.
    pub settings: bool,
    /// ParameterStatus after the first ReadyForQuery.
    pub reported_settings: bool,
    /// PREPARE, or Parse with a name.
    pub prepared_statements: bool,
    /// DECLARE CURSOR.
    pub cursors: bool,
    /// LISTEN.
    pub listening: bool,
    /// CREATE TABLE, CREATE VIEW or CREATE SEQUENCE: it may be temporary.
    pub tables: bool,
    /// LOAD.
    pub libraries: bool,
}

impl Session {
    pub(super) const NONE: Self = Self {
        settings: false,
        reported_settings: false,
        prepared_statements: false,
        cursors: false,
        listening: false,
        tables: false,
        libraries: false,
    };

    /// Whether nothing has been seen that could matter to the next user of this session.
    pub fn is_untouched(&self) -> bool {
        *self == Self::NONE
    }

    pub(super) fn completed(&mut self, body: &[u8]) {
        let tag = body.strip_suffix(b"\0").unwrap_or(body);
        // Nothing else begins with these.
        if !matches!(tag.first(), Some(b'C' | b'D' | b'L' | b'P' | b'R' | b'S' | b'U')) {
            return;
        }
        match tag {
            b"SET" | b"RESET" => self.settings = true,
            b"PREPARE" => self.prepared_statements = true,
            b"DEALLOCATE ALL" => self.prepared_statements = false,
            b"DECLARE CURSOR" => self.cursors = true,
            b"CLOSE CURSOR ALL" => self.cursors = false,
            b"LISTEN" => self.listening = true,
            b"LOAD" => self.libraries = true,
            b"CREATE TABLE" | b"CREATE VIEW" | b"CREATE SEQUENCE" => self.tables = true,
            b"DISCARD ALL" => *self = Self { libraries: self.libraries, ..Self::NONE },
            _ => {}
        }
    }
}
