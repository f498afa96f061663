//! The protocols of examples/protocols: frames that others built, noise, and limits, in every way of feeding.

use std::io::Read;

use feedrate::{Array, Buffer, Decoder, Encode, EncodeError, Error, Fault, Grow};
use feedrate_examples::protocols::dlt645::{self, Dlt645};
use feedrate_examples::protocols::lines::{self, Lines};
use feedrate_examples::protocols::modbus_rtu::{self, ModbusRtu};
use feedrate_testkit::ways::{Seen, Ways};

/// Address, function or control code, data.
type Owned = (Vec<u8>, u8, Vec<u8>);

fn modbus(frame: modbus_rtu::Frame<'_>) -> Owned {
    (vec![frame.address], frame.function, frame.data.to_vec())
}

fn meter(frame: dlt645::Frame<'_>) -> Owned {
    (frame.address.to_vec(), frame.control, frame.data.to_vec())
}

/// A frame that somebody else built.
struct Vector {
    fields: Owned,
    frame: Vec<u8>,
}

fn vectors(protocol: &str) -> Vec<Vector> {
    let mut vectors = Vec::new();
    for line in include_str!("protocols.txt").lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        if let [its, address, code, data, frame] = fields[..] {
            if its == protocol {
                vectors.push(Vector { fields: (hex(address), hex(code)[0], hex(data)), frame: hex(frame) });
            }
        }
    }
    assert!(vectors.len() > 7);
    vectors
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    digits
        .as_bytes()
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

/// Bytes that the line falls silent behind, one stretch after the other.
fn on_modbus(stretches: &[&[u8]]) -> Seen<Owned, modbus_rtu::Error> {
    let mut bytes = Vec::new();
    let mut silences = Vec::new();
    for stretch in stretches {
        bytes.extend_from_slice(stretch);
        silences.push(bytes.len());
    }
    Ways::new(ModbusRtu, Array::<{ modbus_rtu::LONGEST }>::new).silent_at(silences).check(&bytes, modbus)
}

/// The line falls silent at the end.
fn on_meter(bytes: &[u8]) -> Seen<Owned, dlt645::Error> {
    let new = Array::<{ dlt645::LONGEST }>::new;
    let seen = Ways::new(Dlt645, new).silent_at([bytes.len()]).check(bytes, meter);
    let taken: usize = seen.messages().iter().map(|(_, _, data)| data.len() + 12).sum();
    assert_eq!((taken + seen.skipped, &seen.end), (bytes.len(), &Ok(())), "every byte is taken or given up");
    seen
}

#[test]
fn modbus_frames_that_pymodbus_built() {
    for Vector { fields, frame } in vectors("modbus") {
        let seen = on_modbus(&[&frame]);
        assert_eq!(seen.entries, [Ok(fields.clone())]);
        assert_eq!((seen.skipped, seen.left, seen.end), (0, vec![], Ok(())));

        let (address, function, data) = (fields.0[0], fields.1, &fields.2[..]);
        encodes(&modbus_rtu::Frame { address, function, data }, &frame);

        // A storage as long as the frame, and one that is a byte short.
        let limit = frame.len();
        let seen = Ways::new(ModbusRtu, || Grow::new(limit)).silent_at([limit]).check(&frame, modbus);
        assert_eq!(seen.entries, [Ok(fields)]);
        let seen = Ways::new(ModbusRtu, || Grow::new(limit - 1)).silent_at([limit]).check(&frame, modbus);
        let too_long = Fault::TooLong { declared: limit, limit: limit - 1 };
        assert_eq!(seen.entries, [Err(Error::Message(too_long.into()))]);
        assert_eq!((seen.skipped, seen.end), (limit, Ok(())));
    }
}

#[test]
fn meter_frames_that_dlt645_built() {
    let mut all = Vec::new();
    let mut expected = Vec::new();
    for Vector { fields, frame } in vectors("dlt645") {
        let wake = frame.iter().take_while(|byte| **byte == 0xfe).count();
        let seen = on_meter(&frame);
        assert_eq!((seen.entries, seen.skipped, seen.left), (vec![Ok(fields.clone())], wake, vec![]));

        let (address, control, data) = (fields.0[..].try_into().unwrap(), fields.1, &fields.2[..]);
        encodes(&dlt645::Frame { address, control, data }, &frame[wake..]);

        // A storage as long as the frame, and one that is a byte short.
        let limit = frame.len() - wake;
        let seen = Ways::new(Dlt645, || Grow::new(limit)).check(&frame, meter);
        assert_eq!(seen.entries, [Ok(fields.clone())]);
        let seen = Ways::new(Dlt645, || Grow::new(limit - 1)).silent_at([frame.len()]).check(&frame, meter);
        let too_long = Fault::TooLong { declared: limit, limit: limit - 1 };
        assert_eq!((&seen.entries[0], seen.skipped), (&Err(Error::Message(too_long.into())), frame.len()));
        all.extend(frame);
        expected.push(Ok(fields));
    }
    assert_eq!(on_meter(&all).entries, expected);
}

fn encodes(message: &impl Encode, frame: &[u8]) {
    let mut out = b"before".to_vec();
    assert_eq!(message.encode(&mut out), Ok(frame.len()));
    assert_eq!(&out[6..], frame);
    assert_eq!(message.encoded_length(), Ok(frame.len()));
    let mut small = heapless::Vec::<u8, 8>::from_slice(b"before").unwrap();
    assert_eq!(message.encode(&mut small), Err(EncodeError::Full));
    assert_eq!(small, b"before");
}

#[test]
fn too_much_data_is_refused_before_the_first_byte() {
    let mut out = b"before".to_vec();
    let frame = modbus_rtu::Frame { address: 1, function: 3, data: &[0; 253] };
    let error = EncodeError::TooLarge { what: "Modbus data", size: 253, limit: 252 };
    assert_eq!((frame.encode(&mut out), frame.encoded_length()), (Err(error), Err(error)));
    for size in [201, 256, 1000] {
        let frame = dlt645::Frame { address: [0; 6], control: 0x91, data: &vec![0; size] };
        let error = EncodeError::TooLarge { what: "DL/T 645 data", size, limit: 200 };
        assert_eq!((frame.encode(&mut out), frame.encoded_length()), (Err(error), Err(error)));
    }
    assert_eq!(out, b"before");
}

/// CRC-16/MODBUS by its definition: the remainder of a division by x^16 + x^15 + x^2 + 1, low bits first.
fn remainder(bytes: &[u8]) -> u16 {
    let mut register = 0xffff_u16;
    for bit in bytes.iter().flat_map(|byte| (0..8).map(move |n| u16::from((byte >> n) & 1))) {
        let carry = (register >> 15) ^ bit;
        register = (register << 1) ^ if carry == 1 { 0x8005 } else { 0 };
    }
    register.reverse_bits()
}

#[test]
fn the_crc_is_that_of_its_definition() {
    // The check value of the catalogues.
    assert_eq!(remainder(b"123456789"), 0x4b37);
    for seed in 0..200_u32 {
        let data: Vec<u8> = (0..seed).map(|i| (i.wrapping_mul(seed + 17) >> 3) as u8).collect();
        let bytes = [&[seed as u8, 0x41][..], &data].concat();
        let frame = [&bytes[..], &remainder(&bytes).to_le_bytes()].concat();
        encodes(&modbus_rtu::Frame { address: seed as u8, function: 0x41, data: &data }, &frame);
    }
}

#[test]
fn whatever_is_wrong_between_two_silences_is_one_error() {
    use modbus_rtu::Error as E;
    let request = hex("01 03 0000 000a c5cd");
    let good = Ok((vec![1], 3, hex("0000000a")));
    let bad = |error: E| Err(Error::Message(error));
    let too_long = || bad(E::Fault(Fault::TooLong { declared: 257, limit: 256 }));
    let noise: Vec<u8> = (0..300_u32).map(|i| ((i * i) >> 3) as u8).collect();
    let flipped = hex("01 03 0000 000b c5cd");

    let cases: [(&[u8], _); 8] = [
        (&noise, too_long()),
        (&noise[..257], too_long()),
        (&noise[..256], bad(E::Crc)),
        (&noise[..1], bad(E::Length(1))),
        (&request[..3], bad(E::Length(3))),
        (&request[..7], bad(E::Crc)),
        (&flipped, bad(E::Crc)),
        // Two frames with no silence between them are none: the specification tells no listener where to cut.
        (&[&request[..], &request].concat(), bad(E::Crc)),
    ];
    for (wrong, error) in cases {
        let seen = on_modbus(&[&request, wrong, &request, &request]);
        assert_eq!(seen.entries, [good.clone(), error, good.clone(), good.clone()]);
        assert_eq!((seen.skipped, seen.left, seen.end), (wrong.len(), vec![], Ok(())));
    }
    // A bit that has flipped is always found, and costs that frame.
    for bit in 0..64 {
        let mut flipped = request.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let seen = on_modbus(&[&flipped, &request]);
        assert_eq!(seen.entries, [bad(E::Crc), good.clone()]);
    }
    // Noise that touches a frame takes it along, and no other.
    for wrong in [[&noise[..5], &request].concat(), [&request, &noise[..5]].concat()] {
        assert_eq!(on_modbus(&[&wrong, &request]).entries, [bad(E::Crc), good.clone()]);
    }
    // The limit is the protocol's, also with more memory.
    let ways = Ways::new(ModbusRtu, Array::<512>::new).silent_at([300]);
    assert_eq!(ways.check(&noise, modbus).entries, [bad(E::Length(300))]);
}

#[test]
fn a_frame_that_silence_has_not_ended_is_not_there_yet() {
    let request = hex("01 03 0000 000a c5cd");
    let seen = Ways::new(ModbusRtu, Array::<256>::new).check(&request, modbus);
    assert_eq!((seen.entries, seen.left), (vec![], request));
    assert_eq!(seen.end, Err(Error::Lost(Fault::Truncated { held: 8, missing: 1 }.into())));
}

#[test]
fn a_meter_is_found_behind_whatever_looks_like_one() {
    use dlt645::Error as E;
    let read = hex("68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16");
    let good = Ok((hex("250403020100"), 0x11, hex("00000100")));
    // The noise is there three times: around two frames.
    for (noise, errors) in [
        ("", vec![]),
        ("fe fe fe fe", vec![]),
        ("00 16 ff 12", vec![]),
        ("68", vec![]),
        ("68 68 68", vec![]),
        // A header, and no end to it, in the length that it says.
        ("68 25 04 03 02 01 00 68 91", vec![]),
        ("68 25 04 03 02 01 00 68 91 ff", vec![]),
        ("68 25 04 03 02 01 00 68 91 c8", vec![]),
        ("68 25 04 03 02 01 00 68 91 0a", vec![E::End(0x33); 2]),
        ("68 25 04 03 02 01 00 68 11 04 33 33 34 33 E2 16", vec![E::Checksum; 3]),
        ("68 25 04 03 02 01 00 68 11 04 33 33 34 32 E1 16", vec![E::Checksum; 3]),
    ] {
        let noise = hex(noise);
        let seen = on_meter(&[&noise, &read[..], &noise, &read, &noise].concat());
        let (messages, others): (Vec<_>, Vec<_>) = seen.entries.into_iter().partition(Result::is_ok);
        assert_eq!(messages, [good.clone(), good.clone()], "{noise:02x?}");
        assert_eq!(others, errors.into_iter().map(|error| Err(Error::Message(error))).collect::<Vec<_>>());
    }
    // A bit that has flipped costs one frame at most.
    for bit in 0..read.len() * 8 {
        let mut flipped = read.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let seen = on_meter(&[&flipped, &read[..], &read].concat());
        assert!(seen.entries.ends_with(&[good.clone(), good.clone()]), "bit {bit}: {:?}", seen.entries);
        assert_eq!(seen.messages().len(), 2);
    }
}

/// Pulled, from reads of seven bytes: what changes is changed where it was read to, or in the storage.
#[test]
fn meters_are_pulled() {
    let stream: Vec<u8> = vectors("dlt645").into_iter().flat_map(|vector| vector.frame).collect();
    let mut io = &stream[..];
    let mut decoder = Decoder::new(Dlt645, Array::<{ dlt645::LONGEST }>::new());
    let mut buffer = Buffer::new([0; 7]);
    let mut found = Vec::new();
    loop {
        while let Some(ready) = decoder.ready(&mut buffer).unwrap() {
            found.push(meter(decoder.take(ready, &mut buffer).unwrap()));
        }
        match io.read(buffer.space()).unwrap() {
            0 => break,
            n => buffer.filled(n),
        }
    }
    assert_eq!(decoder.end(), Ok(()));
    assert_eq!(found, vectors("dlt645").into_iter().map(|vector| vector.fields).collect::<Vec<_>>());
}

#[test]
fn a_line_costs_itself_at_most() {
    let too_long = || Err(Error::Message(lines::Error::Fault(Fault::TooLong { declared: 9, limit: 8 })));
    let ok = |text: &str| Ok(text.to_owned());
    let bytes = hex("6f ff");
    let not_text = std::str::from_utf8(&bytes).unwrap_err();
    let text = || Err(Error::Message(not_text.into()));
    for (bytes, expected, skipped, left) in [
        (&b"one\r\n\r\ntwo\r\n"[..], vec![ok("one"), ok(""), ok("two")], 0, &b""[..]),
        (b"a\nb\r\nc\rd\r\n\r\r\n", vec![ok("a\nb"), ok("c\rd"), ok("\r")], 0, b""),
        // Six bytes and the CR LF fit.
        (b"123456\r\ntwo\r\n", vec![ok("123456"), ok("two")], 0, b""),
        (b"1234567\r\ntwo\r\n", vec![too_long(), ok("two")], 9, b""),
        (b"123456789 and more\r\r\ntwo\r\n", vec![too_long(), ok("two")], 21, b""),
        (b"o\xff\r\ntwo\r\n", vec![text(), ok("two")], 0, b""),
        (b"one\r\ntw\r", vec![ok("one")], 0, b"tw\r"),
    ] {
        let seen = Ways::new(Lines, Array::<8>::new).check(bytes, str::to_owned);
        assert_eq!((seen.entries, seen.skipped), (expected, skipped), "{}", bytes.escape_ascii());
        assert_eq!((&seen.left[..], seen.end.is_ok()), (left, left.is_empty()));
    }
}
