//! The conformance suite's vectors, as the tests read them.

use std::path::Path;

use serde_json::Value;

/// The vectors in this file.
pub fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/rdp-conformance/vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// The entries of a list.
pub fn entries(of: &Value) -> &[Value] {
    of.as_array().expect("a list")
}

/// The bytes of a string of hexadecimal digits.
pub fn hex(of: &Value) -> Vec<u8> {
    let text = of.as_str().expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("digits")).collect()
}

/// Bytes as the vectors have them, two digits each.
pub fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
