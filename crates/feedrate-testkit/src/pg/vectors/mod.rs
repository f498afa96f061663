//! Byte vectors, written by hand from PostgreSQL's documentation (`protocol-message-formats.html`) and the
//! limits in the sources of servers and libpq; none comes from the encoder that they test.

mod backend;
mod backend_bad;
mod frontend;
mod frontend_bad;
mod vector;

pub use backend::backend;
pub use backend_bad::backend_bad;
pub use frontend::frontend;
pub use frontend_bad::frontend_bad;
pub use vector::{Bad, Expected, Good, OK, READY, STARTUP, SYNC, TERMINATE, asked, authenticating};
