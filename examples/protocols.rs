//! Decodes three small protocols, from bytes of its own or from yours.
//!
//! ```text
//! cargo run --example protocols
//! cargo run --example protocols -- modbus_rtu 01 03 00 00 00 0a c5 cd , 01 83 02 c0 f1 ,
//! ```
//!
//! Bytes are in hexadecimal, and a comma stands for silence on the line. They are fed one by one, as the interrupt of
//! a serial port would feed them.

use std::error::Error;
use std::fmt::Debug;
use std::process::ExitCode;

use feedrate::{Array, Decoder, Encode, Protocol};
use feedrate_examples::protocols::dlt645::{self, Dlt645};
use feedrate_examples::protocols::lines::Lines;
use feedrate_examples::protocols::modbus_rtu::{self, ModbusRtu};

/// What is decoded when nothing else is given.
const SAMPLES: [(&str, &str); 3] = [
    // A request and an answer; noise; a frame with a bit flipped; an exception.
    (
        "modbus_rtu",
        "01 03 00 00 00 0a c5 cd , 01 03 02 00 07 f9 86 , 00 ff 00 , \
         01 03 00 00 00 0b c5 cd , 01 83 02 c0 f1 ,",
    ),
    // Noise that looks like the beginning of a frame, then a request for a reading, and its answer.
    (
        "dlt645",
        "68 00 ff fe fe 68 25 04 03 02 01 00 68 11 04 33 33 34 33 e1 16 \
         fe fe fe 68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8b 16",
    ),
    // "*IDN?", a byte that is not UTF-8, "OK".
    ("lines", "2a 49 44 4e 3f 0d 0a ff 0d 0a 4f 4b 0d 0a"),
];

fn main() -> ExitCode {
    match show() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("protocols: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        None => SAMPLES.iter().try_for_each(|(name, bytes)| decode(name, bytes))?,
        Some((name, bytes)) => decode(name, &bytes.join(" "))?,
    }
    if arguments.is_empty() {
        let read = modbus_rtu::Frame { address: 1, function: 3, data: &[0, 0, 0, 10] };
        println!("\n{read:?} is\n   {}", hex(&read)?);
        let read = dlt645::Frame { address: [0xaa; 6], control: 0x13, data: &[] };
        println!("{read:?} is\n   {}", hex(&read)?);
    }
    Ok(())
}

fn decode(name: &str, bytes: &str) -> Result<(), Box<dyn Error>> {
    println!("{name}: {bytes}");
    match name {
        "modbus_rtu" => run(Decoder::new(ModbusRtu, Array::<{ modbus_rtu::LONGEST }>::new()), bytes),
        "dlt645" => run(Decoder::new(Dlt645, Array::<{ dlt645::LONGEST }>::new()), bytes),
        "lines" => run(Decoder::new(Lines, Array::<80>::new()), bytes),
        _ => Err("expected modbus_rtu, dlt645 or lines, then bytes".into()),
    }
}

/// The loop for a serial line, for any protocol.
fn run<P, const N: usize>(mut decoder: Decoder<P, Array<N>>, bytes: &str) -> Result<(), Box<dyn Error>>
where
    P: for<'a> Protocol<Message<'a>: Debug>,
{
    for word in bytes.split_whitespace() {
        if word == "," {
            loop {
                match decoder.gap() {
                    Ok(Some(message)) => println!("   {message:x?}"),
                    Ok(None) => break,
                    // Go on after an error: the next message may be intact.
                    Err(error) => println!("   {error}"),
                }
            }
            continue;
        }
        // Mutable, so that a protocol that changes its bytes need not copy them first.
        let mut byte = [u8::from_str_radix(word, 16)
            .map_err(|_| format!("{word:?} is not a byte, expected two hexadecimal digits"))?];
        let mut input = &mut byte[..];
        loop {
            match decoder.feed(&mut input) {
                Ok(Some(message)) => println!("   {message:x?}"),
                Ok(None) => break,
                Err(error) if error.is_lost() => return Err(error.to_string().into()),
                Err(error) => println!("   {error}"),
            }
        }
    }
    if !decoder.pending().is_empty() {
        println!("   unfinished: {:02x?}", decoder.pending());
    }
    Ok(())
}

fn hex(message: &impl Encode) -> Result<String, Box<dyn Error>> {
    let mut out = Vec::new();
    message.encode(&mut out)?;
    Ok(out.iter().map(|byte| format!("{byte:02x} ")).collect())
}
