//! What a schedule is made of: lanes, sizes, faults, and when what happens.

use feedrate::rdp::packet::Line;

use crate::random::Random;

/// How long the token `brief` is good for, in milliseconds.
pub(super) const BRIEF: u64 = 1_500;

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
    pub(super) fn touch_bytes(&self) -> bool {
        self.flip + self.truncate + self.shift + self.noise > 0
    }

    fn random(random: &mut Random, serial: bool) -> Self {
        let mut some = |most: u64| {
            if random.chance(5_500) { 0 } else { 1 << random.below(most) }
        };
        let (lose, duplicate, reorder, replay) = (some(12), some(12), some(12), some(11));
        let bytes =
            Self { flip: some(12), truncate: some(11), shift: some(11), noise: some(12), ..Self::default() };
        let bytes = if serial { bytes } else { Self::default() };
        Self { lose, duplicate, reorder, replay, ..bytes }
    }
}

/// What happens beside what happens to packets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// The controller starts again.
    AgentRestarts,
    /// The host begins another session, whatever becomes of this one.
    HostReconnects,
    /// A lane carries nothing in a direction until then.
    Silence { lane: usize, direction: usize, until: u64 },
    /// The agent's main loop hangs until then. Interrupts work.
    AgentHangs { until: u64 },
    /// The host's too.
    HostHangs { until: u64 },
    /// Several packets of earlier are sent again, in order.
    ReplayRun { lane: usize, direction: usize },
    /// The interlock changes.
    Interlock,
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

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) memory: Memory,
    pub(super) signal: Line,
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
    pub(super) times: (u16, u16, u16),
    pub(super) patience: u32,
    pub(super) token: &'static [u8],
    pub(super) host_pace: u64,
    pub(super) agent_pace: u64,
    /// Milliseconds between commands, on the average.
    pub(super) eagerness: u64,
    pub(super) fatal: bool,
    /// Whether each boot's number leads to the same numbers of connections.
    pub(super) same_boots: bool,
    /// Received bytes are fed in pieces.
    pub(super) pieces: bool,
    /// The caller's clock at the beginning.
    pub(super) clock: u32,
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
        let signal = match memory {
            Memory::DeskMiddle | Memory::DeskDesk if random.chance(6_500) => Line::TCP,
            Memory::DeskMiddle | Memory::DeskDesk => random.pick(&[Line::UART, Line::SPI]),
            _ => Line::UART,
        };
        let serial = signal != Line::TCP;
        let tiny = matches!(memory, Memory::DeskTiny | Memory::BoardTiny);
        let bulk = random.chance(6_000);
        let (host_bulk, agent_bulk) = (bulk && random.chance(9_000), bulk && !tiny && random.chance(9_000));
        let faults_until = random.between(300, 9_000);
        let quiet = random.chance(800);
        let mut faults = [serial, true].map(|serial| Faults::random(random, serial));
        if quiet {
            faults = [Faults::default(); 2];
        }
        let mut events = Vec::new();
        while !quiet && random.chance(6_500) {
            let at = random.below(faults_until);
            let until = at + random.pick(&[30, 200, 600, 1_500, 4_000]);
            let (lane, direction) = (random.index(2), random.index(2));
            let event = match random.below(16) {
                0..2 => Event::AgentRestarts,
                2..5 => Event::HostReconnects,
                5..9 => Event::Silence { lane, direction, until },
                // For ever.
                9 => Event::Silence { lane, direction, until: u64::MAX },
                10 => Event::AgentHangs { until },
                11 => Event::HostHangs { until },
                12..14 => Event::ReplayRun { lane: lane * random.index(2), direction },
                14 => Event::Interlock,
                _ => Event::Bye,
            };
            events.push((at, event));
        }
        if random.chance(3_000) {
            events.push((random.below(2_000), Event::Interlock));
        }
        events.sort_by_key(|(at, _)| *at);
        Self {
            memory,
            signal,
            host_bulk,
            agent_bulk,
            rates: [
                if serial { random.pick(&[2_880, 11_520, 11_520, 92_160]) } else { 10_000_000 },
                random.pick(&[100_000, 1_000_000]),
            ],
            latency: random.pick(&[0, 0, 1, 10, 80]),
            jitter: random.pick(&[0, 1, 30]),
            faults,
            faults_until,
            events,
            times: random.pick(&[
                (1000, 3000, 5000),
                (1000, 3000, 5000),
                (200, 900, 2000),
                (1000, 3000, 700),
            ]),
            patience: random.pick(&[5_000, 5_000, 1_000, 20_000]),
            token: match random.below(20) {
                0 => b"look",
                1 => b"brief",
                2 => b"bad",
                _ => b"all",
            },
            host_pace: random.pick(&[0, 0, 1, 20, 100]),
            agent_pace: random.pick(&[0, 0, 1, 10, 60]),
            eagerness: random.pick(&[2, 15, 60, 300]),
            fatal: random.chance(2_000),
            same_boots: random.chance(7_000),
            pieces: random.chance(2_000),
            clock: if random.chance(5_000) { u32::MAX - 4_000 } else { random.number() as u32 },
        }
    }
}
