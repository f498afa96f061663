//! DEFLATE, read by the definition in RFC 1951 and as slowly, to see how far back a stream refers.

/// What a stream decompresses to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inflated {
    /// The bytes, with the window that there was before.
    pub out: Vec<u8>,
    /// The greatest distance that the stream refers back.
    pub farthest: usize,
}

struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> usize {
        let bit = self.bytes[self.at / 8] >> (self.at % 8) & 1;
        self.at += 1;
        bit.into()
    }

    fn bits(&mut self, n: usize) -> usize {
        (0..n).map(|i| self.bit() << i).sum()
    }
}

/// Section 3.2.2: the lengths of codes, in the order of their symbols.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[usize]) -> Self {
        let mut counts = [0; 16];
        lengths.iter().filter(|length| **length > 0).for_each(|length| counts[*length] += 1);
        let of = |n| (0..lengths.len()).filter(move |symbol| lengths[*symbol] == n);
        Self { counts, symbols: (1..16).flat_map(of).collect() }
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> usize {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in &self.counts[1..] {
            code |= bits.bit();
            if code < first + count {
                return self.symbols[index + code - first];
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        panic!("no code");
    }
}

const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Decompresses blocks to the end of `bytes`, which is the end of a block, with the window that `out` ends in.
pub fn inflate(bytes: &[u8], out: Vec<u8>) -> Inflated {
    let mut bits = Bits { bytes, at: 0 };
    let mut inflated = Inflated { out, farthest: 0 };
    while bits.at.div_ceil(8) < bytes.len() {
        assert_eq!(bits.bit(), 0, "BFINAL");
        match bits.bits(2) {
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let length = bits.bits(16);
                assert_eq!(bits.bits(16), length ^ 0xffff);
                let at = bits.at / 8;
                inflated.out.extend_from_slice(&bytes[at..at + length]);
                bits.at += length * 8;
            }
            1 => {
                let lengths: Vec<_> = (0..288)
                    .map(|i| match i {
                        0..144 => 8,
                        144..256 => 9,
                        256..280 => 7,
                        _ => 8,
                    })
                    .collect();
                block(&mut bits, &mut inflated, &Code::new(&lengths), &Code::new(&[5; 30]));
            }
            2 => {
                let (literals, distances, n) = (bits.bits(5) + 257, bits.bits(5) + 1, bits.bits(4) + 4);
                let mut lengths = [0; 19];
                ORDER[..n].iter().for_each(|at| lengths[*at] = bits.bits(3));
                let code = Code::new(&lengths);
                let mut lengths = Vec::new();
                while lengths.len() < literals + distances {
                    let (length, times) = match code.symbol(&mut bits) {
                        16 => (lengths[lengths.len() - 1], 3 + bits.bits(2)),
                        17 => (0, 3 + bits.bits(3)),
                        18 => (0, 11 + bits.bits(7)),
                        length => (length, 1),
                    };
                    lengths.extend(std::iter::repeat_n(length, times));
                }
                let (literals, distances) = lengths.split_at(literals);
                block(&mut bits, &mut inflated, &Code::new(literals), &Code::new(distances));
            }
            _ => panic!("block of type 3"),
        }
    }
    inflated
}

/// Sections 3.2.3 and 3.2.5.
fn block(bits: &mut Bits<'_>, inflated: &mut Inflated, literals: &Code, distances: &Code) {
    loop {
        let length = match literals.symbol(bits) {
            256 => return,
            byte @ 0..256 => {
                inflated.out.push(byte as u8);
                continue;
            }
            285 => 258,
            symbol @ 257..265 => symbol - 254,
            symbol => {
                let extra = (symbol - 261) / 4;
                3 + ((4 + (symbol - 261) % 4) << extra) + bits.bits(extra)
            }
        };
        let distance = match distances.symbol(bits) {
            symbol @ 0..4 => symbol + 1,
            symbol => {
                let extra = symbol / 2 - 1;
                1 + ((2 + symbol % 2) << extra) + bits.bits(extra)
            }
        };
        inflated.farthest = inflated.farthest.max(distance);
        for _ in 0..length {
            inflated.out.push(inflated.out[inflated.out.len() - distance]);
        }
    }
}
