//! A position in a G-code program, as Cursor and State report it (SPEC section 6.4).

use super::field::fields;

fields! {
    /// A position in a G-code program.
    #[derive(Default)]
    pub struct Location {
        /// The program's number (`O1000` is 1000).
        pub program: u32,
        /// Line, counted from 1; 0 when no program is loaded.
        pub line: u32,
        /// Byte within the program.
        pub offset: u32,
    }
}
