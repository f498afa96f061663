//! How long refused logins take for users who are known and for others; and how long hashing takes.
//!
//!   auth_timing [LOGINS]     of each kind, in turn (2000)
//!
//! Only the server's half is timed. Times are in microseconds: the lowest, the median, the mean.

use std::error::Error;
use std::time::{Duration, Instant};

use feedrate::pg::frontend::{Message, PasswordMessage, SASLInitialResponse, SASLResponse};
use feedrate_pg::auth::{
    ChannelBinding, Derivation, Login, Md5Verifier, Outcome, Refusal, Salt, Stored, Verifier,
};

const SECRET: &[u8] = b"0123456789abcdef";
const PASSWORD: Message<'_> =
    Message::PasswordMessage(PasswordMessage { password: feedrate::pg::Secret::from_bytes(b"wrong") });

fn main() -> Result<(), Box<dyn Error>> {
    let logins = std::env::args().nth(1).map_or(Ok(2000), |text| text.parse())?;
    let verifier = Verifier::hash(b"open sesame", salt()?, Verifier::ITERATIONS);
    let (stored, md5) = (verifier.to_string(), Md5Verifier::hash(b"open sesame", b"alice").to_string());
    // What a server does with a user's name: looks for what is stored.
    let find = |known: bool| match known {
        true => Verifier::parse(stored.as_bytes()),
        false => Ok(Verifier::unknown(SECRET, b"eve", Verifier::ITERATIONS)),
    };
    compare("SCRAM-SHA-256", logins, |known| scram(find(known)?))?;
    compare("cleartext, SCRAM's verifier", logins / 10, |known| {
        enter(Login::cleartext(Stored::Scram(find(known)?)))
    })?;
    compare("MD5", logins, |known| {
        let verifier = if known { Md5Verifier::parse(md5.as_bytes())? } else { Md5Verifier::unknown() };
        enter(Login::md5(verifier, [1, 2, 3, 4]))
    })?;
    for iterations in [4096, 1_000_000] {
        let start = Instant::now();
        let _ = Derivation::new(b"open sesame", salt()?, iterations).finish();
        println!("{iterations} iterations: {:.1} ms", start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(())
}

fn salt() -> Result<Salt, &'static str> {
    Salt::new(&[1; 16]).ok_or("no salt")
}

/// In turn, so that whatever else the machine does hits both alike.
fn compare(
    what: &str,
    logins: usize,
    login: impl Fn(bool) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..2 * logins {
        let known = number % 2 == 0;
        let start = Instant::now();
        login(known)?;
        times[usize::from(known)].push(start.elapsed());
    }
    for (name, times) in ["unknown", "known"].into_iter().zip(&mut times) {
        times.sort();
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let mean = micros(times.iter().sum()) / times.len() as f64;
        println!("{what}, {name}: {:.2} {:.2} {mean:.2}", micros(times[0]), micros(times[times.len() / 2]));
    }
    Ok(())
}

fn scram(verifier: Verifier) -> Result<(), Box<dyn Error>> {
    let mut login = Login::scram(verifier, ChannelBinding::NoTls, [2; 18]);
    let mut out = Vec::new();
    login.request(&mut out)?;
    let data = Some("n,,n=,r=clientnonce".into());
    let _ = login.receive(&Message::SASLInitialResponse(SASLInitialResponse {
        mechanism: "SCRAM-SHA-256".into(),
        data,
    }));
    login.request(&mut out)?;
    let data =
        "c=biws,r=clientnonceAgICAgICAgICAgICAgICAgIC,p=oeplwaAlJbxe0IBQN7U5egiG77qa/fUzueRcBbsFVKE=".into();
    let _ = login.receive(&Message::SASLResponse(SASLResponse { data }));
    denied(&login)
}

fn enter(mut login: Login<'_>) -> Result<(), Box<dyn Error>> {
    let mut out = Vec::new();
    login.request(&mut out)?;
    let _ = login.receive(&PASSWORD);
    login.request(&mut out)?;
    denied(&login)
}

fn denied(login: &Login<'_>) -> Result<(), Box<dyn Error>> {
    match login.outcome() {
        Outcome::Refused(Refusal::Denied) => Ok(()),
        outcome => Err(format!("expected a refusal, found {outcome:?}").into()),
    }
}
