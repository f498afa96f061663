//! Frames as they are on the wire: the same bytes on every machine, in every run.

use super::end::{Role, Visited};

/// What messages are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Binary,
    Ascii,
    /// Letters of one, two and three bytes, and a symbol of four.
    Mixed,
    /// Letters of three bytes.
    Cjk,
}

impl Kind {
    fn opcode(self) -> u8 {
        if self == Self::Binary { 2 } else { 1 }
    }
}

const CONTINUATION: u8 = 0;
const FIN: u8 = 0x80;

const ASCII: &str =
    r#"{"type":"position","axis":"X","mm":104.2275,"feed":1200,"at":1763790000123,"ok":true} "#;
const MIXED: &str = "Größe 12 µm, подача 1200 мм/мин, ταχύτητα 80 %, 主轴转速 6000, מהירות, déjà vu: 5 € 🛠 ";
const CJK: &str = "主轴转速已达到设定值请检查冷却液并确认刀具编号后再继续加工否则机床将自动停止运行";

/// What one side sends to the other, one message a frame unless said otherwise.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Who is to read it.
    pub reader: Role,
    pub bytes: Vec<u8>,
    pub messages: usize,
    /// What a reader has to see of it.
    pub visited: Visited,
}

impl Stream {
    /// Messages with `payload` bytes each, `total` or a little more between them.
    pub fn new(reader: Role, kind: Kind, payload: usize, total: usize) -> Self {
        Self::fragmented(reader, kind, payload, 1, total)
    }

    /// The same of messages of so many fragments, with `fragment` bytes of payload each.
    pub fn fragmented(reader: Role, kind: Kind, fragment: usize, fragments: usize, total: usize) -> Self {
        let payload = fragment * fragments;
        let messages = total.div_ceil(payload);
        let mut stream = Self { reader, bytes: Vec::new(), messages, visited: Visited::default() };
        stream.bytes.reserve(messages * (payload + fragments * 14));
        let mut random = random();
        for i in 0..messages {
            let message = message(kind, payload, i);
            stream.visited.message(&message);
            for (j, payload) in message.chunks(fragment).enumerate() {
                let key = (reader == Role::Server).then(|| (random() as u32).to_be_bytes());
                let opcode = if j == 0 { kind.opcode() } else { CONTINUATION };
                let fin = if j + 1 == fragments { FIN } else { 0 };
                write(&mut stream.bytes, fin | opcode, payload, key);
            }
        }
        stream
    }
}

/// The `i`th: each begins at another letter.
pub fn message(kind: Kind, payload: usize, i: usize) -> Vec<u8> {
    let sample = match kind {
        Kind::Binary => {
            let mut random = random();
            return (0..payload).map(|_| random() as u8).map(|byte| byte.wrapping_add(i as u8)).collect();
        }
        Kind::Ascii => ASCII,
        Kind::Mixed => MIXED,
        Kind::Cjk => CJK,
    };
    let mut text = String::with_capacity(payload);
    let mut letters = sample.chars().cycle().skip(i % sample.chars().count());
    while text.len() < payload {
        let letter = letters.next().expect("a cycle has no end");
        // The end is filled up where a letter would not fit.
        text.push(if text.len() + letter.len_utf8() <= payload { letter } else { '.' });
    }
    text.into_bytes()
}

/// By hand, so that no contender's own encoder says what is right.
fn write(out: &mut Vec<u8>, first: u8, payload: &[u8], key: Option<[u8; 4]>) {
    let masked = if key.is_some() { 0x80 } else { 0 };
    out.push(first);
    match payload.len() {
        length @ 0..=125 => out.push(masked | length as u8),
        length @ 126..=0xFFFF => {
            out.push(masked | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(masked | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend(key.into_iter().flatten());
    let key = key.unwrap_or_default();
    out.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]));
}

/// That `bytes` are `times` frames of text with this payload, from `writer`, each with the shortest header
/// and a key of its own.
pub fn assert_written(writer: Role, payload: &[u8], times: usize, mut bytes: &[u8]) {
    let mut keys = Vec::new();
    for _ in 0..times {
        let at = match payload.len() {
            0..=125 => 2,
            126..=0xFFFF => 4,
            _ => 10,
        };
        let key = (writer == Role::Client)
            .then(|| bytes[at..at + 4].try_into().expect("four bytes"))
            .inspect(|key| keys.push(*key));
        let mut frame = Vec::new();
        write(&mut frame, FIN | Kind::Ascii.opcode(), payload, key);
        let rest = bytes.strip_prefix(&frame[..]);
        bytes = rest.expect("the frame that was asked for");
    }
    assert!(bytes.is_empty(), "more than was asked for");
    keys.sort_unstable();
    keys.dedup();
    assert!(writer == Role::Server || keys.len() * 2 > times, "a key for each frame");
}

fn random() -> impl FnMut() -> u64 {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}
