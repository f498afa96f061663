//! The client's half of authentication: every method that has no library of its own, SCRAM with channel binding. No
//! SASLprep; the hashes in their compact form.
#![no_std]
#![no_main]

use feedrate::pg::backend::Authentication;
use feedrate::pg::{List, Text};
use feedrate::{EncodeError, SliceOutput};
use feedrate_footprint::{Sum, bytes, bytes_mut};
use feedrate_pg::auth::{AuthError, Authenticator, ChannelBinding, Credentials, Policy, ServerError, Step};

/// What a client logs in with.
#[allow(missing_debug_implementations)]
pub struct Wanted {
    user: &'static [u8],
    password: &'static [u8],
    certificate: Option<&'static [u8]>,
    policy: Policy,
    mechanisms: &'static [Text<'static>],
    nonce: [u8; 18],
}

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    command: u8,
    auth: &mut Authenticator<'static>,
    wanted: &Wanted,
    input: *const u8,
    length: usize,
    output: *mut u8,
    room: usize,
) -> u32 {
    // SAFETY: the caller's word.
    let (input, memory) = unsafe { (bytes(input, length), bytes_mut(output, room)) };
    let mut sum = Sum::default();
    let data = input.into();
    let request = match command {
        0 => {
            let credentials = Credentials::new(wanted.user).with_password(wanted.password);
            let binding = wanted.certificate.map_or(ChannelBinding::NoTls, ChannelBinding::EndPoint);
            *auth = Authenticator::new(credentials, wanted.policy, binding, wanted.nonce);
            return 0;
        }
        1 => return u32::from(auth.work(100)),
        2 => {
            return match auth.respond(&mut SliceOutput::new(memory)) {
                Ok(wrote) => u32::from(wrote),
                Err(EncodeError::Full) => 2,
                Err(_) => 3,
            };
        }
        3 => Authentication::Ok,
        4 => Authentication::CleartextPassword,
        5 => Authentication::Md5Password { salt: [input.len() as u8; 4] },
        6 => Authentication::Sasl { mechanisms: List::new(wanted.mechanisms) },
        7 => Authentication::SaslContinue { data },
        8 => Authentication::SaslFinal { data },
        _ => Authentication::Other { code: command.into(), data },
    };
    match auth.receive(&request) {
        Ok(Step::Respond) => sum.add(1),
        Ok(Step::Work) => sum.add(auth.left()),
        Ok(Step::TokenRefused { json }) => sum.slice(json.as_bytes()),
        Ok(Step::Done) => sum.add(2),
        Ok(_) => sum.add(3),
        Err(AuthError::Iterations { asked, .. }) => sum.add(asked),
        Err(AuthError::Malformed { message, at, expected }) => {
            sum.slice(message.as_bytes());
            sum.slice(expected.as_bytes());
            sum.add(at as u32);
        }
        Err(AuthError::OutOfPlace { what, expected }) => {
            sum.slice(what.as_bytes());
            sum.slice(expected.as_bytes());
        }
        Err(AuthError::Server(ServerError::InvalidProof)) => sum.add(4),
        Err(_) => sum.add(5),
    }
    sum.0
}
