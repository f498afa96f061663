//! Authentication: published vectors.

use feedrate::pg::backend::Authentication;
use feedrate::pg::{List, Text};
use feedrate_pg::auth::{Authenticator, ChannelBinding, Credentials, Policy, Step};

#[test]
fn scram_goes_through() {
    let credentials = Credentials::new("user").with_password("pencil");
    let mut auth = Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [0; 18]);
    let names = [Text::from("SCRAM-SHA-256")];
    let mut out = Vec::new();
    assert_eq!(auth.receive(&Authentication::Sasl { mechanisms: List::from(&names) }), Ok(Step::Respond));
    assert_eq!(auth.respond(&mut out), Ok(true));
    assert_eq!(out, b"p\0\0\0\x36SCRAM-SHA-256\0\0\0\0\x20n,,n=,r=AAAAAAAAAAAAAAAAAAAAAAAA");
    let challenge = b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".into();
    assert_eq!(auth.receive(&Authentication::SaslContinue { data: challenge }), Ok(Step::Work));
    out.clear();
    assert!(!auth.work(4094));
    assert!(auth.work(1));
    assert_eq!(auth.respond(&mut out), Ok(true));
    let proof = b"c=biws,r=AAAAAAAAAAAAAAAAAAAAAAAAserver,p=oeplwaAlJbxe0IBQN7U5egiG77qa/fUzueRcBbsFVKE=";
    assert_eq!(&out[5..], proof);

    let data = b"v=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFs=".into();
    assert_eq!(auth.receive(&Authentication::SaslFinal { data }), Ok(Step::Wait));
    assert_eq!(auth.receive(&Authentication::Ok), Ok(Step::Done));
}
