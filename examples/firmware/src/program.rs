//! The G-code program that the loop runs, for ever.

/// How the axes get from one block's end to the next one's.
#[derive(Clone, Copy)]
pub enum Shape {
    Dwell,
    Rapid,
    Linear,
    Smooth,
    Decelerating,
    Peck,
}

pub struct Block {
    pub shape: Shape,
    /// Nanometres.
    pub to: [i32; 3],
    /// Revolutions a minute.
    pub spindle: i32,
}

/// Time that every block takes, in hundredths of a cycle.
pub const LENGTH: u32 = 100 * 1024;

/// `O1000`.
pub const NUMBER: u32 = 1000;

/// A line of text for each of [`BLOCKS`].
pub const TEXT: [&str; 8] = [
    "N10 M3 S6000 G4 P100\n",
    "N20 G0 X120.0 Y80.0 Z5.0\n",
    "N30 G83 Z-12.0\n",
    "N40 G1 X200.0 Y-30.5\n",
    "N50 G5 X0.0 Y45.25\n",
    "N60 G1 Z-3.125\n",
    "N70 G0 X0.0 Y0.0 Z50.0\n",
    "N80 M5 G4 P100\n",
];

const MM: i32 = 1_000_000;

pub static BLOCKS: [Block; 8] = [
    Block { shape: Shape::Dwell, to: [0, 0, 50 * MM], spindle: 6000 },
    Block { shape: Shape::Rapid, to: [120 * MM, 80 * MM, 5 * MM], spindle: 6000 },
    Block { shape: Shape::Peck, to: [120 * MM, 80 * MM, -12 * MM], spindle: 6000 },
    Block { shape: Shape::Linear, to: [200 * MM, -30_500_000, -12 * MM], spindle: 6000 },
    Block { shape: Shape::Smooth, to: [0, 45_250_000, -12 * MM], spindle: 6000 },
    Block { shape: Shape::Decelerating, to: [0, 45_250_000, -3_125_000], spindle: 6000 },
    Block { shape: Shape::Rapid, to: [0, 0, 50 * MM], spindle: 6000 },
    Block { shape: Shape::Dwell, to: [0, 0, 50 * MM], spindle: 0 },
];

/// Where each line begins.
pub const OFFSETS: [u32; 8] = {
    let mut offsets = [0; 8];
    let mut line = 1;
    while line < 8 {
        offsets[line] = offsets[line - 1] + TEXT[line - 1].len() as u32;
        line += 1;
    }
    offsets
};
