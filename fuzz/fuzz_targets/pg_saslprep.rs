//! SASLprep beside the crates stringprep and unicode-normalization, put together as PostgreSQL does it.
#![no_main]

use feedrate_pg::auth::saslprep;
use stringprep::tables;
use unicode_normalization::UnicodeNormalization;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    compare(data);
    // Characters that somebody thought of, where bytes are seldom UTF-8.
    let codes = data.chunks_exact(3).map(|code| u32::from_be_bytes([0, code[0] & 0x1f, code[1], code[2]]));
    compare(codes.filter_map(char::from_u32).collect::<String>().as_bytes());
});

fn compare(password: &[u8]) {
    let mut found = Vec::new();
    let normalized = saslprep(password, |piece| found.extend_from_slice(piece));
    let expected = std::str::from_utf8(password).map_or(Some(None), expected);
    match expected {
        Some(Some(expected)) => assert_eq!((normalized, String::from_utf8(found)), (true, Ok(expected))),
        Some(None) => assert_eq!((normalized, &found[..]), (false, password)),
        None => assert!(normalized || found == password),
    }
}

/// `None` inside if the bytes stay as they are. `None` if the oracle cannot tell: what it knows of text from right to
/// left is another Unicode's than RFC 3454's. tests/rig/saslprep.sh has that, with real servers.
fn expected(text: &str) -> Option<Option<String>> {
    if text.is_ascii() {
        return Some(None);
    }
    let mapped = text.chars().map(|c| if tables::non_ascii_space_character(c) { ' ' } else { c });
    let mapped: Vec<char> = mapped.filter(|c| !tables::commonly_mapped_to_nothing(*c)).collect();
    // PostgreSQL looks at the characters before they are normalized.
    let prohibited = |c: &char| {
        tables::non_ascii_space_character(*c)
            || tables::ascii_control_character(*c)
            || tables::non_ascii_control_character(*c)
            || tables::private_use(*c)
            || tables::non_character_code_point(*c)
            || tables::surrogate_code(*c)
            || tables::inappropriate_for_plain_text(*c)
            || tables::inappropriate_for_canonical_representation(*c)
            || tables::change_display_properties_or_deprecated(*c)
            || tables::tagging_character(*c)
            || tables::unassigned_code_point(*c)
    };
    if mapped.is_empty() || mapped.iter().any(prohibited) {
        return Some(None);
    }
    if mapped.iter().any(|c| tables::bidi_r_or_al(*c)) {
        return None;
    }
    Some(Some(mapped.into_iter().nfkc().collect()))
}
