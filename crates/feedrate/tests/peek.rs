//! What is ready can be looked at before it is taken, wherever it lies.

use feedrate::pg::Backend;
use feedrate::{Array, Buffer, Decoder};

const BYTES: &[u8] = b"1\0\0\0\x04C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";

#[test]
fn the_bytes_of_what_is_ready() {
    for cut in 0..=BYTES.len() {
        let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
        let mut buffer = Buffer::new([0; 64]);
        let mut seen = Vec::new();
        for part in [&BYTES[..cut], &BYTES[cut..]] {
            buffer.space()[..part.len()].copy_from_slice(part);
            buffer.filled(part.len());
            loop {
                // Either way to find it.
                let glanced = decoder.glance(&buffer);
                let Some(ready) = glanced.or_else(|| decoder.ready(&mut buffer).unwrap()) else { break };
                let peeked = decoder.peek(&ready, &buffer).to_vec();
                assert_eq!(peeked, decoder.take(ready, &mut buffer).unwrap().raw(), "cut at {cut}");
                seen.extend(peeked);
            }
        }
        assert_eq!(seen, BYTES, "cut at {cut}");
    }
}

#[test]
fn what_is_taken_is_gone() {
    let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
    let mut buffer = Buffer::new([0; 64]);
    buffer.space()[..BYTES.len()].copy_from_slice(BYTES);
    buffer.filled(BYTES.len());
    let (first, again) = (decoder.ready(&mut buffer), decoder.ready(&mut buffer));
    decoder.take(first.unwrap().unwrap(), &mut buffer).unwrap();
    assert_eq!(decoder.peek(&again.unwrap().unwrap(), &buffer), b"");
}
