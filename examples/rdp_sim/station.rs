//! The agent, the machine beside it, and the loop around both: what firmware would be.

use std::future::ready;
use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::frame::Domains;
use feedrate_examples::input::read_input;
use feedrate_io::Timer;
use feedrate_io::rdp::agent::{Place, Server};
use feedrate_rdp::agent::{AgentConfig, StopCause};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::{Claim, Grant};
use feedrate_rdp::session::Checksum;
use feedrate_rdp::sizes::Sizes;
use tokio::io::{AsyncWrite, AsyncWriteExt, stderr, stdout};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Permit, Receiver, Sender, channel};
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::knobs::{Knob, journal};
use crate::machine::{Machine, Run};
use crate::options::Options;
use crate::world::World;

/// So many runs that find the clock where the last one left it mean that it is broken. There are 10 ms between two of
/// them at most, and [`Station::turn`] waits for a microsecond to go by.
const FROZEN: u32 = 200;

/// So many steps of a series are done at most before the lines are looked at again.
const STEPS: u32 = 100;

/// So many times what has arrived is looked at before a newcomer is.
const LOOKS: u32 = 16;

/// Messages of 512 bytes, and room for 4 commands of any length.
pub(crate) enum Room {}

impl Sizes for Room {
    type Lane = [u8; 512];
    type Urgent = [u8; 640];
    type Ordinary = [u8; 4 * 514];
    type Send = [u8; 1024];
    type Message = [u8; 512];
}

type Authority = fn(&Claim<'_>) -> Result<Grant, u32>;
type Served<C> = Server<CortexM, Authority, TcpStream, Room, Checksum, C>;

/// Who may do what. A real one would check a signature, the device and the date.
fn authority(claim: &Claim<'_>) -> Result<Grant, u32> {
    const HOUR: Duration = Duration::from_secs(3600);
    let control = Domains(Domains::OBSERVE.0 | Domains::CONTROL.0);
    let (operator, domains, lasts) = match claim.token {
        b"operator" => (*b"operator", Domains::ALL, HOUR),
        b"observer" => (*b"observer", Domains::OBSERVE, HOUR),
        b"control" => (*b"control\0", control, HOUR),
        b"brief" => (*b"brief\0\0\0", Domains::ALL, Duration::from_millis(500)),
        b"glimpse" => (*b"glimpse\0", Domains::OBSERVE, Duration::from_millis(500)),
        _ => return Err(1),
    };
    Ok(Grant::new(operator, domains, lasts))
}

pub(crate) struct Station<'o> {
    options: &'o Options,
    server: Served<Clock>,
    machine: Machine,
    /// The number of this boot.
    boots: u32,
    /// Up to when the agent does not run, in the machine's own time.
    stalled_until: u64,
    log: Sender<String>,
}

impl<'o> Station<'o> {
    pub(crate) fn new(options: &'o Options) -> Result<Self, String> {
        let clock = Clock::start();
        let machine = Machine::new(World::new(), clock.real());
        let server = server(options, 1)?.timer(clock);
        Ok(Self { options, server, machine, boots: 1, stalled_until: 0, log: say_to(stderr(), 100) })
    }

    /// The main loop.
    pub(crate) async fn run(&mut self, mut newcomers: Receiver<(Place, TcpStream)>) -> Result<(), String> {
        // Whoever reads the answers slowly, or not at all, waits for them, and the machine does not.
        let (mut knobs, answers) = (read_input(), say_to(stdout(), 1));
        loop {
            self.turn();
            tokio::select! {
                left = self.server.wait() => if let Some(left) = left {
                    // What it has asked for last is still done.
                    self.turn();
                    self.say(left.place, &format!("gone: {}", left.why));
                },
                Some((place, socket)) = newcomers.recv() => self.connect(place, socket).await?,
                Some((answer, knob)) = next_knob(&answers, &mut knobs) => {
                    self.settle().await;
                    let said = self.turn_knob(&knob)?;
                    self.turn();
                    answer.send(format!("{said}\n"));
                }
                () = tick(self.machine.tick()) => {}
            }
        }
    }

    fn is_stalled(&self) -> bool {
        self.server.clock().real() < self.stalled_until
    }

    /// What firmware does again and again.
    fn turn(&mut self) {
        self.machine.watch_agent(self.server.clock().real());
        if self.is_stalled() {
            return;
        }
        for _ in 0..STEPS {
            let now = self.server.clock().now();
            self.tell_stops();
            self.server.run(&mut self.machine);
            // What the agent has just begun, and what came of it.
            self.tell_stops();
            if self.server.deadline() != Some(Instant::ZERO) {
                break;
            }
            self.server.clock().later(now);
        }
    }

    /// Lets the machine go on up to now, and tells the agent wherever it comes to a stand.
    fn tell_stops(&mut self) {
        while let Some(cause) = self.machine.advance(self.server.clock().real()) {
            self.server.stopped(&mut self.machine, cause);
        }
    }

    /// What has arrived before is acted on before.
    async fn settle(&mut self) {
        for _ in 0..LOOKS {
            tokio::select! {
                biased;
                left = self.server.wait() => if let Some(left) = left {
                    self.say(left.place, &format!("gone: {}", left.why));
                },
                () = ready(()) => break,
            }
            self.turn();
        }
    }

    async fn connect(&mut self, place: Place, socket: TcpStream) -> Result<(), String> {
        self.settle().await;
        let taken = match place {
            Place::Bulk => {
                self.server.connect_bulk(socket);
                Ok(())
            }
            Place::Observer => self.server.observe(socket),
            _ => self.server.connect(socket),
        };
        if let Err(busy) = taken {
            self.say(place, &format!("refused: {busy}"));
            return Ok(());
        }
        if self.options.reference && place == Place::Operator {
            // The old session's end is seen before the machine begins anew.
            self.turn();
            self.begin_anew()?;
        }
        self.say(place, "connected");
        Ok(())
    }

    /// Agent and machine after a reset.
    fn begin_anew(&mut self) -> Result<(), String> {
        self.boots = self.boots.wrapping_add(1);
        self.server.restart(server(self.options, self.boots)?);
        self.machine.reset(self.server.clock().real());
        Ok(())
    }

    /// Returns the answer.
    fn turn_knob(&mut self, line: &str) -> Result<String, String> {
        let knob = match line.parse() {
            Ok(knob) => knob,
            Err(wrong) => return Ok(wrong),
        };
        let world = &mut self.machine.world;
        match knob {
            Knob::Permit(bits) => world.permitted = bits,
            Knob::Generation(number) => world.generation = number,
            Knob::Interlock(on) => world.interlock = on,
            Knob::Moving(on) => world.moving = on,
            Knob::ReleaseFails(on) => world.release_fails = on,
            Knob::RecoveryFails(on) => world.recovery_fails = on,
            Knob::Stall(span) => {
                let span = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
                self.stalled_until = self.server.clock().real().saturating_add(span);
            }
            Knob::Clock(step) => self.server.clock_mut().jump(step),
            Knob::Freeze(on) => self.server.clock_mut().freeze(on),
            Knob::Reset => {
                if !self.options.serial && self.server.disconnect(Place::Operator) {
                    self.say(Place::Operator, "gone: reset");
                }
                self.begin_anew()?;
            }
            Knob::Trap => {
                self.machine.run = Run::Stopped;
                self.server.stopped(&mut self.machine, StopCause::Breakpoint(0));
            }
            Knob::Journal => return Ok(journal(&mut self.machine)),
        }
        Ok("ok".into())
    }

    fn say(&self, place: Place, what: &str) {
        if self.options.log {
            let seconds = self.server.clock().now().as_millis() as f64 / 1000.0;
            // What nobody reads is not kept.
            let _ = self.log.try_send(format!("rdp_sim: {seconds:.3} s, {place:?}: {what}\n"));
        }
    }
}

/// An agent after this boot.
fn server(options: &Options, boots: u32) -> Result<Served<feedrate_io::tokio::Clock>, String> {
    let mut boot = [0; 12];
    getrandom::fill(&mut boot).map_err(|error| format!("there are no random numbers: {error}"))?;
    let config = AgentConfig::new(boot, boots, options.name).observers(true).frozen(FROZEN);
    let authority: Authority = authority;
    let server = if options.serial {
        Server::serial(config, options.bulk.is_some(), authority, Checksum::new())
    } else {
        Server::stream(config, authority, Checksum::new())
    };
    Ok(server.observers(authority, Checksum::new()))
}

/// What is said goes through a task of its own: a pipe that nobody reads stops that task, and not the machine.
fn say_to(mut to: impl AsyncWrite + Unpin + Send + 'static, most: usize) -> Sender<String> {
    let (sender, mut said) = channel::<String>(most);
    tokio::spawn(async move {
        while let Some(line) = said.recv().await {
            // Whoever does not want it any more still has a machine.
            let _ = to.write_all(line.as_bytes()).await;
            let _ = to.flush().await;
        }
    });
    sender
}

/// The next line of standard input, when its answer has a place.
async fn next_knob<'a>(
    answers: &'a Sender<String>,
    knobs: &mut Receiver<String>,
) -> Option<(Permit<'a, String>, String)> {
    let place = answers.reserve().await.ok()?;
    Some((place, knobs.recv().await?))
}

/// How long the machine may be left alone. Others have their turn in any case.
async fn tick(time: Duration) {
    if time.is_zero() { yield_now().await } else { sleep(time).await }
}
