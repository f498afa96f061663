//! SCRAM's verifiers: makes them, and checks passwords with them (tests/rig/saslprep.sh).
//!
//!   auth_verifier make PASSWORD        prints a verifier, for `CREATE ROLE … PASSWORD '…'`
//!   auth_verifier check < LINES        for each line `PASSWORD VERIFIER`, the password in hexadecimal, whether it is
//!                                      right; prints those that are not, and how many are

use std::error::Error;
use std::fs::File;
use std::io::{Read, stdin};

use feedrate_pg::auth::{Derivation, Salt, Verifier};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", password] => {
            let mut salt = [0; 16];
            File::open("/dev/urandom")?.read_exact(&mut salt)?;
            let salt = Salt::new(&salt).ok_or("no salt")?;
            println!("{}", Verifier::hash(password.as_bytes(), salt, Verifier::ITERATIONS));
            Ok(())
        }
        ["check"] => check(),
        _ => Err("see the top of the source".into()),
    }
}

fn check() -> Result<(), Box<dyn Error>> {
    let (mut all, mut wrong) = (0_u32, 0_u32);
    for line in stdin().lines() {
        let line = line?;
        let (password, verifier) = line.split_once(' ').ok_or("expected PASSWORD VERIFIER")?;
        let verifier = Verifier::parse(verifier.as_bytes())?;
        let made = Derivation::new(&hexadecimal(password)?, *verifier.salt(), verifier.iterations()).finish();
        all += 1;
        if made != verifier {
            wrong += 1;
            println!("another verifier: {password}");
        }
    }
    println!("{} of {all} verifiers are the same", all - wrong);
    if wrong == 0 && all > 0 { Ok(()) } else { Err("verifiers differ".into()) }
}

fn hexadecimal(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
