//! Base64 as SCRAM has it: with padding, and nothing but the alphabet.

use base64ct::{Base64, Encoding};

use super::buffer::{Buffer, Full};

/// Appends `data` in Base64.
pub(super) fn encode<const N: usize>(data: &[u8], out: &mut Buffer<N>) -> Result<(), Full> {
    let place = out.place(Base64::encoded_len(data))?;
    Base64::encode(data, place).map(|_| ()).map_err(|_| Full)
}

/// The bytes that `text` stands for, if they fit into `out`.
pub(super) fn decode<'o>(text: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    Base64::decode(text, out).ok()
}

/// Exactly 32 bytes.
pub(super) fn decode_key(text: &[u8]) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    (decode(text, &mut key)?.len() == 32).then_some(key)
}
