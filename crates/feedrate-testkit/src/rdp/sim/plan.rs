//! What a schedule is made of: lines, sizes, clocks, faults, and when what happens.

use feedrate::rdp::packet::Lane;

use crate::random::Random;

/// How long the token `brief` is good for, in seconds.
pub(super) const BRIEF: u64 = 2;

/// A millisecond of the world's time.
pub(super) const MS: u64 = 1_000;

/// How often something happens to a packet, of ten thousand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) lose: u32,
    pub(super) duplicate: u32,
    pub(super) reorder: u32,
    pub(super) flip: u32,
    pub(super) truncate: u32,
    pub(super) shift: u32,
    pub(super) noise: u32,
    pub(super) replay: u32,
}

impl Faults {
    pub(super) fn any(&self) -> bool {
        let Self { lose, duplicate, reorder, flip, truncate, shift, noise, replay } = *self;
        lose + duplicate + reorder + flip + truncate + shift + noise + replay > 0
    }

    fn random(random: &mut Random) -> Self {
        let mut some = |most: u64| {
            if random.chance(5_500) { 0 } else { 1 << random.below(most) }
        };
        let (lose, duplicate, reorder, replay) = (some(12), some(12), some(12), some(11));
        Self {
            lose,
            duplicate,
            reorder,
            replay,
            flip: some(12),
            truncate: some(11),
            shift: some(11),
            noise: some(12),
        }
    }
}

/// What an attacker does. On a serial line he writes to the operator's; on streams he has connections of his own, and
/// knows all that was ever said on the operator's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attack {
    /// A connection on which nothing is said; an OPEN.
    Silent,
    /// Bytes at random.
    Garbage,
    /// What was recorded, of this session or of earlier ones, from somewhere on.
    Replay,
    /// Messages with tags of the operator's session, on a connection of his own. On a serial line there is none, and he
    /// replays.
    Forge,
    /// A handshake with a token that is none.
    BadToken,
    /// The connection's end: RESET. On a stream, a connection that ends at once.
    Reset,
}

/// What happens beside what happens to packets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// The controller starts again; the machine does not recover before then.
    AgentRestarts { recovers: u64 },
    /// The host begins another session, whatever becomes of this one.
    HostReconnects,
    /// The host's program dies; another one begins a session then.
    HostDies { until: u64, notices: bool },
    /// A lane carries nothing in a direction until then.
    Silence { lane: usize, direction: usize, until: u64 },
    /// The agent's main loop hangs until then. Interrupts work.
    AgentHangs { until: u64 },
    /// The host's too.
    HostHangs { until: u64 },
    /// The line is cut, and both sides notice.
    Cut,
    /// The agent's clock jumps, in milliseconds.
    ClockJumps { by: i64 },
    /// It stands still until then.
    ClockFreezes { until: u64 },
    /// It gets another drift.
    ClockDrifts { drift: i64 },
    /// The host's clock jumps.
    HostClockJumps { by: i64 },
    /// Somebody else has to do with the line.
    Attack(Attack),
    /// The interlock changes.
    Interlock,
    /// What the machine permits changes.
    Permission,
    /// The program is another one.
    Program,
    /// Forces or traps cannot be taken back until then.
    Jam { traps: bool, until: u64 },
    /// The host says goodbye.
    Bye,
}

/// Memory of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    DeskBoard,
    DeskTiny,
    DeskMiddle,
    DeskDesk,
    BoardBoard,
    BoardTiny,
}

/// All times are in microseconds, but for the agent's configuration, which is in milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) memory: Memory,
    pub(super) stream: bool,
    pub(super) signal: Lane,
    pub(super) host_bulk: bool,
    pub(super) agent_bulk: bool,
    /// Bytes a second.
    pub(super) rates: [u64; 2],
    pub(super) latency: u64,
    pub(super) jitter: u64,
    pub(super) faults: [Faults; 2],
    /// All faults end then, but for lanes that are dead for ever.
    pub(super) faults_until: u64,
    pub(super) events: Vec<(u64, Event)>,
    /// Heartbeat, loss, tolerance, stall.
    pub(super) times: [u16; 4],
    /// In milliseconds.
    pub(super) patience: u64,
    pub(super) token: &'static [u8],
    pub(super) host_pace: u64,
    pub(super) agent_pace: u64,
    /// The agent runs at least so often, if this is not 0.
    pub(super) agent_period: u64,
    /// In millionths.
    pub(super) drifts: [i64; 2],
    /// The agent's clock may stand still.
    pub(super) freezes: bool,
    /// Between commands, on the average.
    pub(super) eagerness: u64,
    pub(super) fatal: bool,
    /// Whether each boot's number leads to the same numbers of connections.
    pub(super) same_boots: bool,
    /// Received bytes are fed in pieces.
    pub(super) pieces: bool,
    /// A stream's record is taken from the host in pieces of this size.
    pub(super) portion: usize,
}

impl Plan {
    pub(super) fn new(random: &mut Random) -> Self {
        let memory = random.pick(&[
            Memory::DeskBoard,
            Memory::DeskBoard,
            Memory::DeskTiny,
            Memory::DeskMiddle,
            Memory::DeskDesk,
            Memory::BoardBoard,
            Memory::BoardTiny,
        ]);
        let stream = random.chance(4_500);
        let signal = match memory {
            Memory::DeskMiddle | Memory::DeskDesk => random.pick(&[Lane::UART, Lane::SPI]),
            _ => Lane::UART,
        };
        let tiny = matches!(memory, Memory::DeskTiny | Memory::BoardTiny);
        let bulk = random.chance(6_000) && !stream;
        let (host_bulk, agent_bulk) = (bulk && random.chance(9_000), bulk && !tiny && random.chance(9_000));
        let faults_until = random.between(300, 12_000) * MS;
        let quiet = random.chance(800);
        let spoils = !quiet && !stream && random.chance(7_500);
        let faults = [(); 2].map(|()| if spoils { Faults::random(random) } else { Faults::default() });
        let freezes = random.chance(1_500);
        let times = random.pick(&[
            [1000, 3000, 5000, 500],
            [1000, 3000, 5000, 500],
            [200, 800, 2000, 150],
            [1000, 3000, 3000, 1000],
        ]);
        let drifts = [(); 2]
            .map(|()| random.pick(&[0, 0, 50, -50, 10_000, -10_000, 20_000, -20_000, 100_000, -100_000]));
        let mut plan = Self {
            memory,
            stream,
            signal,
            host_bulk,
            agent_bulk,
            rates: [
                if stream {
                    random.pick(&[2_000, 20_000, 10_000_000])
                } else {
                    random.pick(&[2_880, 11_520, 11_520, 92_160])
                },
                random.pick(&[100_000, 1_000_000]),
            ],
            latency: random.pick(&[0, 0, 1, 10, 80]) * MS,
            jitter: random.pick(&[0, 1, 30]) * MS,
            faults,
            faults_until,
            events: Vec::new(),
            times,
            patience: random.pick(&[20_000, 20_000, 8_000, 1_500]),
            token: match random.below(20) {
                0 => b"look",
                1 => b"brief",
                2 => b"bad",
                3 => b"steer",
                _ => b"all",
            },
            host_pace: random.pick(&[0, 0, 1, 20, 100]) * MS,
            agent_pace: random.pick(&[0, 0, 1, 10, 60]) * MS,
            agent_period: if freezes { 20 * MS } else { random.pick(&[0, 0, 5, 50]) * MS },
            drifts,
            freezes,
            eagerness: random.pick(&[2, 15, 60, 300]) * MS,
            fatal: random.chance(2_000),
            same_boots: random.chance(7_000),
            pieces: random.chance(2_000),
            portion: random.pick(&[16, 64, 700, 1400]),
        };
        while !quiet && random.chance(7_000) {
            let at = random.below(faults_until);
            let event = plan.event(random, at);
            plan.events.push((at, event));
        }
        plan.events.sort_by_key(|(at, _)| *at);
        plan
    }

    /// Nothing happens.
    pub(super) fn calm(random: &mut Random) -> Self {
        Self {
            memory: Memory::DeskBoard,
            signal: Lane::UART,
            host_bulk: false,
            agent_bulk: false,
            jitter: 0,
            faults: [Faults::default(); 2],
            events: Vec::new(),
            times: [1000, 3000, 5000, 500],
            patience: 20_000,
            token: b"all",
            ..Self::new(random)
        }
    }

    fn event(&self, random: &mut Random, at: u64) -> Event {
        let until = at + random.pick(&[30, 200, 600, 1_500, 4_000, 6_000]) * MS;
        let (lane, direction) = (random.index(2), random.index(2));
        match random.below(32) {
            0..2 => Event::AgentRestarts { recovers: at + random.pick(&[0, 0, 300, 3_000]) * MS },
            2..4 => Event::HostReconnects,
            4..8 => Event::HostDies { until, notices: random.chance(5_000) },
            8..11 => Event::Silence { lane, direction, until },
            // For ever.
            11 => Event::Silence { lane: 1, direction, until: u64::MAX },
            12..14 => Event::AgentHangs { until },
            14 => Event::HostHangs { until },
            15 => Event::Cut,
            16..18 => {
                Event::ClockJumps { by: random.pick(&[-1, -60, -99, -150, -4_000, 700, 5_000, 3_600_000]) }
            }
            18 if self.freezes => Event::ClockFreezes { until },
            18 => Event::ClockDrifts { drift: random.pick(&[20_000, -20_000, 100_000, -100_000]) },
            19 => Event::HostClockJumps { by: random.pick(&[-3_000, -10, 10, 1_000]) },
            20..26 => Event::Attack(random.pick(&[
                Attack::Silent,
                Attack::Garbage,
                Attack::Replay,
                Attack::Replay,
                Attack::Forge,
                Attack::Forge,
                Attack::BadToken,
                Attack::Reset,
            ])),
            26 => Event::Interlock,
            27 => Event::Permission,
            28 => Event::Program,
            29..31 => Event::Jam { traps: random.chance(3_000), until },
            _ => Event::Bye,
        }
    }

    /// How far the agent's time can be from the world's in what it judges, at most: the factor in percent, and what
    /// comes on top in microseconds.
    pub(super) fn slack(&self) -> (u64, u64) {
        let back: u64 = self
            .events
            .iter()
            .map(|(_, event)| match event {
                // A small step back stands for as long as it is wide.
                Event::ClockJumps { by } if (-100..0).contains(by) => by.unsigned_abs() * MS,
                _ => 0,
            })
            .sum();
        // A clock that stands still is found out after so many runs.
        let stands =
            if self.freezes { u64::from(self.frozen()) * self.agent_period.max(self.agent_pace) } else { 0 };
        (112, back + stands * 2)
    }

    /// Runs without progress of the clock that mean that it is broken.
    pub(super) fn frozen(&self) -> u32 {
        match (self.freezes, self.agent_period.max(self.agent_pace)) {
            (true, period @ 1..) => (u64::from(self.times[1]) * MS / period) as u32,
            _ => 1 << 20,
        }
    }
}
