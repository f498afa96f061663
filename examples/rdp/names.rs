//! Places by name: variables that the agent lists, and symbols of a firmware's ELF file.

use std::fmt;

use feedrate::rdp::frame::{self, Type};
use feedrate_examples::escape::escaped;

use crate::digits::{bytes, hex, number};
use crate::symbols::Symbols;

/// Where something is, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    At(u64),
    /// So far behind a name.
    Named(String, u64),
}

impl Place {
    /// A number, a name, or one of both and an offset. `None`: it is neither.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let (start, offset) = match word.split_once('+') {
            Some((start, offset)) => (start, number(offset)?),
            None => (word, 0),
        };
        match number(start) {
            Some(start) => start.checked_add(offset).map(Self::At),
            None if start.starts_with(|first: char| first.is_alphabetic() || first == '_') => {
                Some(Self::Named(start.into(), offset))
            }
            None => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(addr) => write!(f, "{addr:#x}"),
            Self::Named(name, 0) => f.write_str(name),
            Self::Named(name, offset) => write!(f, "{name}+{offset}"),
        }
    }
}

/// A variable that the agent lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) addr: u64,
    pub(crate) kind: Type,
    pub(crate) length: u8,
    pub(crate) flags: u8,
    pub(crate) name: String,
}

impl From<frame::Variable<'_>> for Variable {
    fn from(variable: frame::Variable<'_>) -> Self {
        let frame::Variable { addr, kind, length, flags, name } = variable;
        Self { addr, kind, length, flags, name: String::from_utf8_lossy(name.as_slice()).into() }
    }
}

/// A place that has been found.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) addr: u64,
    /// How much is there, if that is known.
    pub(crate) length: Option<usize>,
    /// What is there, if it is all of a variable.
    pub(crate) variable: Option<Variable>,
}

/// All names that there are.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) symbols: Symbols,
    /// The agent's, once it was asked.
    pub(crate) variables: Option<Vec<Variable>>,
}

impl Names {
    /// The agent's own come first: they are of the program that runs.
    pub(crate) fn find(&self, place: &Place) -> Result<Spot, String> {
        let nowhere = || format!("{place} is no address: there is none as large");
        let (name, offset) = match place {
            Place::At(addr) => return Ok(Spot { addr: *addr, length: None, variable: None }),
            Place::Named(name, offset) => (name, *offset),
        };
        let listed = self.variables.iter().flatten().find(|variable| variable.name == *name);
        if let Some(variable) = listed {
            let addr = variable.addr.checked_add(offset).ok_or_else(nowhere)?;
            let whole = offset == 0;
            let length = whole.then_some(variable.length.into());
            return Ok(Spot { addr, length, variable: whole.then(|| variable.clone()) });
        }
        let start = self
            .symbols
            .address(name)
            .ok_or_else(|| format!("{name:?} is no address, nor a name that the agent or --elf knows"))?;
        let addr = start.checked_add(offset).ok_or_else(nowhere)?;
        let length = self.symbols.size(start).filter(|_| offset == 0);
        Ok(Spot { addr, length, variable: None })
    }

    /// An address, and what is there: `0x20000104 <axis_update+4>`.
    pub(crate) fn show(&self, addr: u64) -> String {
        match self.variables.iter().flatten().find(|variable| variable.addr == addr) {
            Some(variable) => format!("{addr:#010x} <{}>", escaped(&variable.name)),
            None => self.symbols.show(addr),
        }
    }
}

/// What is to be put somewhere, as it was typed. What that means depends on what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    /// Number of bytes, if it was said.
    pub(crate) size: Option<usize>,
}

impl Value {
    /// The bytes, the lowest first.
    pub(crate) fn bytes(&self, variable: Option<&Variable>) -> Result<Vec<u8>, String> {
        let (text, length) = (&*self.text, variable.map(|variable| usize::from(variable.length)));
        let size = self.size.or(length).unwrap_or(4);
        let wrong = |what: &str| format!("{text:?} is no VALUE: expected {what}");
        if let (Some(size), Some(length), Some(variable)) = (self.size, length, variable) {
            if size != length {
                return Err(format!("{} has {length} bytes, and not {size}", escaped(&variable.name)));
            }
        }
        if let Some(digits) = text.strip_prefix("hex:") {
            let bytes = bytes(digits).filter(|bytes| length.is_none_or(|length| bytes.len() == length));
            let expected = length.map_or("hex:BYTES".into(), |length| format!("{length} bytes behind hex:"));
            return bytes.ok_or_else(|| wrong(&expected));
        }
        let kind = variable.map(|variable| variable.kind);
        match kind {
            None => integer(text, size, true, true)
                .ok_or_else(|| wrong(&format!("a number of {size} bytes, or hex:BYTES"))),
            Some(Type::Unsigned) => integer(text, size, true, false)
                .ok_or_else(|| wrong(&format!("a number of {size} bytes, not negative"))),
            Some(Type::Signed) => integer(text, size, false, true)
                .ok_or_else(|| wrong(&format!("a number of {size} bytes, with a sign"))),
            Some(Type::Boolean) => {
                let value = match text {
                    "true" | "1" => 1,
                    "false" | "0" => 0,
                    _ => return Err(wrong("true or false")),
                };
                Ok(std::iter::once(value).chain(std::iter::repeat(0)).take(size).collect())
            }
            Some(Type::Float) => match size {
                4 => text.parse::<f32>().map(|value| value.to_le_bytes().to_vec()),
                8 => text.parse::<f64>().map(|value| value.to_le_bytes().to_vec()),
                _ => return Err(wrong("hex:BYTES")),
            }
            .map_err(|_| wrong("a number with a decimal point")),
            Some(_) => Err(wrong("hex:BYTES")),
        }
    }
}

/// So many bytes, the lowest first, of a number in the range of unsigned ones, of signed ones, or of both.
fn integer(text: &str, size: usize, unsigned: bool, signed: bool) -> Option<Vec<u8>> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let magnitude = match digits.strip_prefix("0x") {
        Some(digits) => u128::from_str_radix(digits, 16).ok()?,
        None => digits.parse::<u128>().ok()?,
    };
    let bits = 8 * u32::try_from(size).ok().filter(|size| (1..=16).contains(size))?;
    let most = u128::MAX >> (128 - bits);
    let fits = match negative {
        true => signed && magnitude <= most / 2 + 1,
        false => magnitude <= if unsigned { most } else { most / 2 },
    };
    let value = if negative { magnitude.wrapping_neg() } else { magnitude };
    fits.then(|| value.to_le_bytes()[..size].to_vec())
}

/// A variable and its value: `FEED = 1500`.
pub(crate) fn assigned(variable: &Variable, bytes: &[u8]) -> String {
    format!("{} = {}", escaped(&variable.name), shown(variable, bytes))
}

/// A variable's value, as its type wants it.
fn shown(variable: &Variable, bytes: &[u8]) -> String {
    let size = bytes.len();
    let whole = size == usize::from(variable.length) && (1..=16).contains(&size);
    let mut wide = [0; 16];
    wide.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let number = u128::from_le_bytes(wide);
    match variable.kind {
        Type::Unsigned if whole => format!("{number}"),
        Type::Signed if whole => {
            let above = 128 - 8 * size as u32;
            format!("{}", i128::from_le_bytes(wide) << above >> above)
        }
        Type::Boolean if whole => format!("{}", number != 0),
        Type::Float if whole && size == 4 => format!("{}", f32::from_bits(number as u32)),
        Type::Float if whole && size == 8 => format!("{}", f64::from_bits(number as u64)),
        _ => hex(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_variable_calls_itself_is_escaped() {
        let variable =
            Variable { addr: 16, kind: Type::Unsigned, length: 4, flags: 0, name: "\x1b[2J\u{202e}".into() };
        let shown = r"\u{1b}[2J\u{202e}";
        assert_eq!(assigned(&variable, &[1, 0, 0, 0]), format!("{shown} = 1"));
        let value = Value { text: "1".into(), size: Some(2) };
        let wrong = value.bytes(Some(&variable)).expect_err("it has four bytes");
        assert_eq!(wrong, format!("{shown} has 4 bytes, and not 2"));
        let names = Names { variables: Some(vec![variable]), ..Names::default() };
        assert_eq!(names.show(16), format!("0x00000010 <{shown}>"));
    }
}
