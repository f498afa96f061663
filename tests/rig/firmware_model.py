"""What the firmware's control loop must hold, by the number of its cycle: `examples/firmware/src/axis.rs` and
`program.rs` once more.

The loop reads nothing but its own variables. As long as no key is pressed but the one that starts it and nothing is
forced, they follow from how often it has run, and repeat with every run of the G-code program but the first.
"""

from dataclasses import dataclass

CYCLES_A_BLOCK = 1024
GAIN = 8
VELOCITY_LIMIT = 600_000
MM = 1_000_000

BLOCKS = [
    ("dwell", (0, 0, 50 * MM)),
    ("rapid", (120 * MM, 80 * MM, 5 * MM)),
    ("peck", (120 * MM, 80 * MM, -12 * MM)),
    ("linear", (200 * MM, -30_500_000, -12 * MM)),
    ("smooth", (0, 45_250_000, -12 * MM)),
    ("decelerating", (0, 45_250_000, -3_125_000)),
    ("rapid", (0, 0, 50 * MM)),
    ("dwell", (0, 0, 50 * MM)),
]
PROGRAM = len(BLOCKS) * CYCLES_A_BLOCK


def portion(shape, done):
    """How much of a block's way is done after `done` of its cycles, in 1024ths."""
    match shape:
        case "dwell":
            return 1024
        case "rapid":
            return min(done * 2, 1024)
        case "linear":
            return done
        case "smooth":
            return done * done * (3 * 1024 - 2 * done) >> 20
        case "decelerating":
            return done * (2 * 1024 - done) >> 10
        case "peck":
            stroke = done & 0xFF
            return min((done & ~0xFF) + (stroke * 2 if stroke < 0x80 else 0x180 - stroke), 1024)


@dataclass
class Cycle:
    """What the axes do in one cycle."""

    before: list[int]
    """Positions when it begins."""
    setpoints: list[int]
    after: list[int]


def cycle(number):
    """The cycle with this number; the first is 1."""
    # The second run of the program begins where the third does: more need not be calculated.
    if number > 3 * PROGRAM:
        number = 2 * PROGRAM + (number - 1) % PROGRAM + 1
    positions, start = [0, 0, 0], [0, 0, 0]
    seen = {}
    for at in range(1, number + 1):
        block, done = divmod(at, CYCLES_A_BLOCK)
        shape, to = BLOCKS[block % len(BLOCKS)]
        if block:
            start = BLOCKS[(block - 1) % len(BLOCKS)][1]
        part = portion(shape, done)
        setpoints = [a + ((b - a) * part >> 10) for a, b in zip(start, to)]
        before = positions
        positions = [axis(position, setpoint) for position, setpoint in zip(before, setpoints)]
        if at % PROGRAM == 0:
            seen[at // PROGRAM] = positions
    assert seen.get(2) == seen.get(3, seen.get(2)), "the loop does not repeat"
    return Cycle(before, setpoints, positions)


def axis(position, setpoint):
    """Where an axis is after a cycle."""
    error = setpoint - position
    # The processor's division goes towards zero.
    velocity = abs(error) // GAIN * (1 if error > 0 else -1)
    return position + max(-VELOCITY_LIMIT, min(VELOCITY_LIMIT, velocity))
