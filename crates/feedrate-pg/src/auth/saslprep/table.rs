//! SASLprep's tables, which `tables.py` has made: sorted records of big-endian numbers.

/// Bytes of a code point.
const CODE: usize = 3;

/// A table of characters: the first and the last of each range.
pub(super) struct Ranges(&'static [u8]);

/// Unassigned in Unicode 3.2, or prohibited for another reason: tables A.1, C.1.2, C.2.1, C.2.2 and C.3 to C.9 of
/// RFC 3454.
pub(super) static PROHIBITED: Ranges = Ranges(include_bytes!("tables/prohibited.bin"));
/// Table D.1.
pub(super) static RIGHT_TO_LEFT: Ranges = Ranges(include_bytes!("tables/right_to_left.bin"));
/// Table D.2.
pub(super) static LEFT_TO_RIGHT: Ranges = Ranges(include_bytes!("tables/left_to_right.bin"));

static CLASSES: &[u8] = include_bytes!("tables/classes.bin");
static DECOMPOSITIONS: &[u8] = include_bytes!("tables/decompositions.bin");
static CHARACTERS: &[u8] = include_bytes!("tables/characters.bin");
static COMPOSITIONS: &[u8] = include_bytes!("tables/compositions.bin");

impl Ranges {
    pub(super) fn contains(&self, c: char) -> bool {
        let found: Option<&[u8; 6]> = find(self.0, &key(c));
        found.is_some_and(|[_, _, _, last @ ..]| *last >= key(c))
    }
}

/// The combining class: 0 for starters.
pub(super) fn class(c: char) -> u8 {
    let found: Option<&[u8; 7]> = find(CLASSES, &key(c));
    match found {
        Some([_, _, _, last @ .., class]) if *last >= key(c) => *class,
        _ => 0,
    }
}

/// The characters that this one stands for. Not of Hangul.
pub(super) fn decomposition(c: char) -> Option<impl Iterator<Item = char> + Clone> {
    let [code @ .., high, low, length]: &[u8; 6] = find(DECOMPOSITIONS, &key(c))?;
    if *code != key(c) {
        return None;
    }
    let start = usize::from(u16::from_be_bytes([*high, *low])).saturating_mul(CODE);
    let characters = CHARACTERS.get(start..)?.chunks_exact(CODE).take(usize::from(*length));
    Some(characters.filter_map(|code| char_of(*code.first_chunk()?)))
}

/// What the two make together. Not of Hangul.
pub(super) fn composition(first: char, second: char) -> Option<char> {
    let ([a, b, c], [d, e, f]) = (key(first), key(second));
    let pair = [a, b, c, d, e, f];
    let [found @ .., a, b, c]: &[u8; 9] = find(COMPOSITIONS, &pair)?;
    if *found == pair { char_of([*a, *b, *c]) } else { None }
}

fn char_of([a, b, c]: [u8; CODE]) -> Option<char> {
    char::from_u32(u32::from_be_bytes([0, a, b, c]))
}

fn key(c: char) -> [u8; CODE] {
    let [_, key @ ..] = u32::from(c).to_be_bytes();
    key
}

/// The last record that does not begin with more than `key`.
fn find<'t, const WIDTH: usize>(table: &'t [u8], key: &[u8]) -> Option<&'t [u8; WIDTH]> {
    let record = |nth: usize| table.get(nth.checked_mul(WIDTH)?..)?.first_chunk::<WIDTH>();
    let begins = |nth| record(nth).and_then(|record| record.get(..key.len()));
    let (mut low, mut high) = (0_usize, table.len().checked_div(WIDTH)?);
    while low < high {
        let middle = low.midpoint(high);
        if begins(middle)? <= key {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    record(low.checked_sub(1)?)
}
