//! Files of passwords: `~/.pgpass`.
//!
//! Each line is `host:port:database:user:password`. A `*` stands for anything, a backslash before `:` or `\` for that
//! character, and a line that begins with `#` is a comment. The first line that fits counts.
//!
//! Which file: `passfile`, or `.pgpass` in the user's home directory. libpq does not read it if others than its owner
//! may.

use core::fmt;

use feedrate::{EncodeError, Output};

/// Finds the password for a host, by the rules of libpq. `host` is what
/// [`Host::passfile_name`](super::Host::passfile_name) returns. An empty database or user has no password.
///
/// ```
/// use feedrate_pg::conninfo::{Settings, passfile};
///
/// let file = "# host:port:database:user:password\n*:5432:sales:alice:pass\\:word\n";
///
/// let mut settings = Settings::new(Vec::new());
/// settings.parse("postgresql://alice@db.example.com/sales")?;
/// let host = settings.hosts()?.get(0).unwrap();
/// let (database, user) = (settings.database()?, settings.user()?);
/// let password = passfile::find(file, host.passfile_name(), host.port, database.as_bytes(), user.as_bytes());
/// assert!(password.unwrap().bytes().eq(*b"pass:word"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find<'f>(
    file: &'f (impl AsRef<[u8]> + ?Sized),
    host: impl AsRef<[u8]>,
    port: u16,
    database: impl AsRef<[u8]>,
    user: impl AsRef<[u8]>,
) -> Option<Password<'f>> {
    let mut digits = [0; 5];
    let fields = [host.as_ref(), decimal(port, &mut digits), database.as_ref(), user.as_ref()];
    if database.as_ref().is_empty() || user.as_ref().is_empty() {
        return None;
    }
    file.as_ref().split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#")).find_map(|line| {
        let end = line.iter().rposition(|byte| *byte != b'\r')?;
        let mut rest = line.get(..=end)?;
        for field in fields {
            rest = matching(rest, field)?;
        }
        Some(Password { escaped: rest })
    })
}

/// A password as it is in the file. `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct Password<'f> {
    escaped: &'f [u8],
}

impl<'f> Password<'f> {
    /// Its bytes, without the backslashes.
    pub fn bytes(self) -> impl Iterator<Item = u8> + use<'f> {
        let mut rest = self.escaped.iter().copied();
        core::iter::from_fn(move || match rest.next()? {
            b':' => {
                rest = [].iter().copied();
                None
            }
            // One at the very end is itself.
            b'\\' => Some(rest.next().unwrap_or(b'\\')),
            byte => Some(byte),
        })
    }

    /// Appends its bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Full`]. Then nothing has been appended.
    pub fn write(self, out: &mut impl Output) -> Result<(), EncodeError> {
        let start = out.length();
        for byte in self.bytes() {
            out.put(&[byte]).inspect_err(|_| out.truncate(start))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// What follows the first field of the line, if that is `*` or `field`.
fn matching<'l>(line: &'l [u8], field: &[u8]) -> Option<&'l [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let mut rest = line.iter();
    let mut field = field.iter();
    loop {
        let byte = match rest.next()? {
            b'\\' => rest.next()?,
            b':' if field.len() == 0 => return Some(rest.as_slice()),
            byte => byte,
        };
        if field.next()? != byte {
            return None;
        }
    }
}

fn decimal(mut n: u16, digits: &mut [u8; 5]) -> &[u8] {
    let mut used = 0_usize;
    for digit in digits.iter_mut().rev() {
        if n == 0 {
            break;
        }
        *digit = b"0123456789".get(usize::from(n.wrapping_rem(10))).copied().unwrap_or(b'0');
        n = n.wrapping_div(10);
        used = used.saturating_add(1);
    }
    digits.get(5_usize.saturating_sub(used)..).unwrap_or_default()
}
