//! RDPv3: a session in which nothing happens but heartbeats.

use feedrate::rdp::frame::Domains;
use feedrate_io::Timer;
use feedrate_io::rdp::agent::Server;
use feedrate_io::rdp::host::Connection;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::host::{Event, HostConfig};
use feedrate_rdp::session::Checksum;
use feedrate_testkit::machine::Fake;
use feedrate_testkit::rdp::rig::{Authority, CONFIG, authority, token};
use tokio::net::TcpStream;

use crate::plan::talks;

pub(crate) async fn tool(socket: TcpStream) -> String {
    let token = token(Domains::ALL, 3600);
    let Ok(mut rdp) = Connection::stream(socket, HostConfig::new(), Checksum::new(), &token) else {
        return "no random numbers".into();
    };
    if let Err(error) = rdp.active(|_| {}).await {
        return error.to_string();
    }
    talks();
    let mut why = "nothing".into();
    while let Some(event) = rdp.next().await {
        if let Event::Closed(closed) = event {
            why = closed.to_string();
        }
    }
    why
}

pub(crate) async fn machine(socket: TcpStream) -> String {
    let (mut agent, mut machine) =
        (Server::<CortexM, _, _>::stream(CONFIG, authority as Authority, Checksum::new()), Fake::new());
    if let Err(error) = agent.connect(socket) {
        return error.to_string();
    }
    talks();
    loop {
        if let Some(left) = agent.wait().await.into_iter().next() {
            return match left.why {
                feedrate_io::rdp::Ended::Over => "over".into(),
                why => format!("{why:?}"),
            };
        }
        machine.pass_to(agent.clock().now().as_millis());
        agent.run(&mut machine);
    }
}
