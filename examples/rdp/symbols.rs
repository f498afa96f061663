//! The names in a firmware's ELF file.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use feedrate_examples::escape::escaped;
use object::{Architecture, Object, ObjectSymbol, SymbolKind};

/// Names and where they are; none, if no file was given.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    by_name: HashMap<String, u64>,
    /// Name and size by address.
    by_address: BTreeMap<u64, (String, u64)>,
}

impl Symbols {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let cannot = |why: String| format!("cannot read symbols from {}: {why}", path.display());
        let bytes = std::fs::read(path).map_err(|error| cannot(error.to_string()))?;
        let file = object::File::parse(&*bytes).map_err(|error| cannot(error.to_string()))?;
        // On Arm the lowest bit of a function's address says that it is Thumb code.
        let thumb = u64::from(file.architecture() == Architecture::Arm);
        let mut symbols = Self::default();
        for symbol in file.symbols() {
            let kinds = [SymbolKind::Text, SymbolKind::Data, SymbolKind::Unknown];
            let name = symbol.name().unwrap_or_default();
            // `$t`, `$d` and the like mark code and data, and name nothing.
            if !symbol.is_definition()
                || !kinds.contains(&symbol.kind())
                || name.is_empty()
                || name.starts_with('$')
            {
                continue;
            }
            let is_code = symbol.kind() == SymbolKind::Text;
            let address = symbol.address() & !if is_code { thumb } else { 0 };
            let name = readable(name);
            symbols.by_name.insert(name.clone(), address);
            let known = symbols.by_address.entry(address).or_insert_with(|| (name.clone(), symbol.size()));
            if known.1 < symbol.size() {
                *known = (name, symbol.size());
            }
        }
        Ok(symbols)
    }

    /// Where a name is. One that nothing else ends with can be given without its modules.
    pub(crate) fn address(&self, name: &str) -> Option<u64> {
        let within = format!("::{name}");
        let mut candidates = self.by_name.iter().filter(|(candidate, _)| candidate.ends_with(&within));
        self.by_name.get(name).copied().or_else(|| match (candidates.next(), candidates.next()) {
            (Some((_, address)), None) => Some(*address),
            _ => None,
        })
    }

    /// How many bytes are at an address where something begins.
    pub(crate) fn size(&self, address: u64) -> Option<usize> {
        let (_, size) = self.by_address.get(&address)?;
        usize::try_from(*size).ok().filter(|size| *size > 0)
    }

    /// An address, and what is there: `0x20000104 <axis_update+4>`.
    pub(crate) fn show(&self, address: u64) -> String {
        let text = format!("{address:#010x}");
        let before = self.by_address.range(..=address).next_back();
        match before.map(|(start, (name, size))| (address - start, name, *size)) {
            Some((0, name, _)) => format!("{text} <{}>", escaped(name)),
            Some((offset, name, size)) if offset < size => format!("{text} <{}+{offset}>", escaped(name)),
            _ => text,
        }
    }
}

/// A Rust name without its mangling: of `_ZN8firmware4axis6update17h0123456789abcdefE` it makes
/// `firmware::axis::update`.
fn readable(name: &str) -> String {
    let mut parts = Vec::new();
    let mut rest = name.strip_prefix("_ZN").unwrap_or_default();
    while let Some(digits) = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0) {
        let Some(part) = rest[..digits].parse().ok().and_then(|length| rest[digits..].get(..length)) else {
            break;
        };
        parts.push(part);
        rest = &rest[digits + part.len()..];
    }
    match parts.split_last() {
        Some((hash, path))
            if !path.is_empty() && rest == "E" && hash.starts_with('h') && hash.len() == 17 =>
        {
            path.join("::")
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_symbol_is_called_is_escaped() {
        let by_address = [(16, ("\x1b[2J".to_owned(), 4))].into();
        let symbols = Symbols { by_address, ..Symbols::default() };
        assert_eq!(symbols.show(16), r"0x00000010 <\u{1b}[2J>");
        assert_eq!(symbols.show(18), r"0x00000012 <\u{1b}[2J+2>");
        assert_eq!(symbols.show(20), "0x00000014");
    }
}
