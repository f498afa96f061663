//! Compares this crate's results with GNU objdump's.
//!
//! ```text
//! objdump -d -w [-M intel64] FILE... | objdump_check x86|aarch64|thumb [--least N]
//! objdump_check generate x86|aarch64|thumb >FILE
//! objdump -D -w -b binary -m MACHINE [-M intel64] FILE | objdump_check x86|aarch64|thumb --every 32
//! ```
//!
//! Length, class and target are read from objdump's text (address, bytes, mnemonic, operands) by rules that
//! know nothing of encodings. Each instruction is decoded three times: with the bytes that follow it in
//! memory, alone, and without its last byte, which has to be `DecodeError::Truncated`. `generate` writes
//! every opcode with many operands and prefixes, each at a multiple of 32. No compiler uses most of them.
//!
//! The exit code is 1 if anything differs, or if fewer than N instructions could be compared. Those that could not be
//! compared are counted by reason:
//!
//! * everywhere: bytes that objdump itself does not decode (data, `(bad)`, `.inst`, `<UNDEFINED>`) and zeros, which it
//!   leaves out;
//! * x86: a prefix that objdump prints on a line of its own, because it cannot decode what follows; a REX before VEX or
//!   EVEX, which objdump accepts and processors do not; XBEGIN with an operand-size prefix, whose target objdump cuts
//!   to 16 bits and Intel's manual does not;
//! * Thumb: ARM instructions; 4-byte arithmetic into PC, which objdump prints and the manual calls unpredictable.
//!
//! One thing is read differently: objdump prints FWAIT and an x87 instruction as one, and they are two.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use feedrate_insn::{DecodeError, Flow, Insn, aarch64, thumb, x86};

type Decode = fn(u64, &[u8]) -> Result<Insn, DecodeError>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["generate", architecture] => generate(architecture),
        [architecture, ref options @ ..] => check(architecture, options),
        [] => Err("usage: objdump_check [generate] x86|aarch64|thumb [--least N] [--every N]".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

// --- reading objdump

/// One line of objdump.
struct Line {
    at: u64,
    bytes: Vec<u8>,
    mnemonic: String,
    operands: String,
    /// The condition that an IT block adds to the mnemonic.
    condition: Option<&'static str>,
}

impl Line {
    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

/// What objdump says.
enum Said {
    Flow(Flow),
    /// Nothing that can be compared, because of this.
    Excluded(&'static str),
}

fn check(architecture: &str, options: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    let (decode, said): (Decode, fn(&Line) -> Said) = match architecture {
        "x86" => (x86::decode, x86_said),
        "aarch64" => (aarch64::decode, aarch64_said),
        "thumb" => (thumb::decode, thumb_said),
        _ => return Err(format!("no architecture is named {architecture}").into()),
    };
    let (mut least, mut every) = (0, 1);
    for option in options.chunks(2) {
        match *option {
            ["--least", n] => least = n.parse()?,
            ["--every", n] => every = n.parse()?,
            _ => return Err(format!("{option:?} is no option").into()),
        }
    }
    let mut report = Report::default();
    // Instructions one after the other in memory: each is decoded with the bytes that follow it.
    let mut run: Vec<Line> = Vec::new();
    let mut it: Vec<&'static str> = Vec::new();
    for text in io::stdin().lock().split(b'\n') {
        let text = String::from_utf8_lossy(&text?).into_owned();
        let Some(mut line) = parse(&text, architecture) else {
            // Where a run of zeros has been left out.
            if text.trim() == "..." {
                report.exclude("zeros that objdump leaves out (runs)");
            }
            continue;
        };
        if architecture == "thumb" {
            line.condition = it.pop();
            if let Some(block) = it_block(&line) {
                it = block;
            }
        }
        if run.last().is_some_and(|last| last.end() != line.at) || run.len() == 4096 {
            compare_run(&run, every, decode, said, &mut report);
            run.clear();
        }
        run.push(line);
    }
    compare_run(&run, every, decode, said, &mut report);
    report.print(architecture);
    if report.compared == 0 || report.compared < least {
        return Err(format!("{} instructions compared, {least} wanted", report.compared).into());
    }
    if report.mismatches != 0 {
        return Err(format!("{} mismatches", report.mismatches).into());
    }
    Ok(())
}

fn parse(text: &str, architecture: &str) -> Option<Line> {
    let mut fields = text.split('\t');
    let at = fields.next()?.trim().strip_suffix(':')?;
    let at = u64::from_str_radix(at, 16).ok()?;
    let (mut bytes, mut digits) = (Vec::new(), 0);
    for group in fields.next()?.split_whitespace() {
        digits = group.len();
        let mut group: Vec<u8> = (0..group.len() / 2)
            .map(|i| u8::from_str_radix(&group[2 * i..2 * i + 2], 16))
            .collect::<Result<_, _>>()
            .ok()?;
        // Arm's are printed as numbers.
        if architecture != "x86" {
            group.reverse();
        }
        bytes.extend(group);
    }
    let mnemonic = fields.next().unwrap_or_default();
    let operands = fields.next().unwrap_or_default();
    // x86 has prefixes and operands in one field.
    let (mnemonic, operands) = match architecture {
        "x86" => ("", mnemonic),
        _ => (mnemonic, operands),
    };
    let mnemonic = match mnemonic {
        _ if text.contains("<UNDEFINED>") => "<UNDEFINED>",
        // Thumb's bytes are printed as one or two halfwords.
        _ if architecture == "thumb" && digits == 8 && !mnemonic.starts_with('.') => "<ARM>",
        _ => mnemonic,
    };
    Some(Line {
        at,
        bytes,
        mnemonic: mnemonic.trim().into(),
        operands: operands.trim().into(),
        condition: None,
    })
}

// --- comparing

#[derive(Default)]
struct Report {
    compared: u64,
    mismatches: u64,
    classes: BTreeMap<&'static str, u64>,
    excluded: BTreeMap<&'static str, u64>,
    mnemonics: BTreeSet<String>,
    lengths: BTreeMap<usize, u64>,
}

impl Report {
    fn exclude(&mut self, why: &'static str) {
        *self.excluded.entry(why).or_default() += 1;
    }

    fn print(&self, architecture: &str) {
        println!("{architecture}: {} instructions compared, {} mismatches", self.compared, self.mismatches);
        println!("  mnemonics: {}", self.mnemonics.len());
        println!("  lengths: {:?}", self.lengths);
        for (class, count) in &self.classes {
            println!("  {class}: {count}");
        }
        for (why, count) in &self.excluded {
            println!("  excluded, {why}: {count}");
        }
    }
}

fn compare_run(run: &[Line], every: u64, decode: Decode, said: fn(&Line) -> Said, report: &mut Report) {
    let bytes: Vec<u8> = run.iter().flat_map(|line| line.bytes.iter().copied()).collect();
    let mut rest = &bytes[..];
    for line in run {
        let memory = rest;
        rest = &rest[line.bytes.len()..];
        if line.at % every != 0 {
            continue;
        }
        // FWAIT is an instruction, which objdump joins with the one after it.
        let first_opcode = line.bytes.iter().position(|&byte| !is_legacy_or_rex(byte));
        if let (Some(at), true) = (first_opcode, line.mnemonic.is_empty()) {
            if line.bytes[at] == 0x9b && at + 1 < line.bytes.len() {
                compare(line, 0..at + 1, memory, decode, Flow::Sequential, report);
                compare(line, at + 1..line.bytes.len(), &memory[at + 1..], decode, Flow::Sequential, report);
                continue;
            }
        }
        match said(line) {
            Said::Excluded(why) => report.exclude(why),
            Said::Flow(flow) => compare(line, 0..line.bytes.len(), memory, decode, flow, report),
        }
    }
}

/// Whether this byte is a legacy prefix of x86 or a REX.
fn is_legacy_or_rex(byte: u8) -> bool {
    matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x40..=0x4f | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3)
}

fn compare(
    line: &Line,
    part: std::ops::Range<usize>,
    memory: &[u8],
    decode: Decode,
    flow: Flow,
    report: &mut Report,
) {
    let at = line.at + part.start as u64;
    let bytes = &line.bytes[part];
    let alone = decode(at, bytes);
    let followed = decode(at, memory);
    let cut = decode(at, &bytes[..bytes.len() - 1]);
    let right = matches!(followed, Ok(insn) if usize::from(insn.length) == bytes.len() && insn.flow == flow);
    report.compared += 1;
    if right && alone == followed && matches!(cut, Err(DecodeError::Truncated { .. })) {
        *report.classes.entry(class(flow)).or_default() += 1;
        *report.lengths.entry(bytes.len()).or_default() += 1;
        let name = if line.mnemonic.is_empty() { &line.operands } else { &line.mnemonic };
        let name = name.split(' ').find(|word| !X86_PREFIXES.contains(word)).unwrap_or_default();
        if !report.mnemonics.contains(name) {
            report.mnemonics.insert(name.into());
        }
        return;
    }
    report.mismatches += 1;
    if report.mismatches <= 20 {
        let Line { mnemonic, operands, .. } = line;
        println!(
            "{at:#x}: {bytes:02x?} {mnemonic} {operands}: {flow:x?}, but {followed:x?}, alone {alone:x?}, cut {cut:x?}"
        );
    }
}

fn class(flow: Flow) -> &'static str {
    match flow {
        Flow::Sequential => "sequential",
        Flow::Jump(_) => "jump",
        Flow::Call(_) => "call",
        Flow::Return => "return",
        Flow::IndirectJump => "indirect jump",
        Flow::IndirectCall => "indirect call",
        Flow::Conditional(_) => "conditional",
        Flow::Trap => "trap",
        _ => "other",
    }
}

/// The address in the last operand: `x0, 1234 <name+0x56>`.
fn target(operands: &str, flow: fn(u64) -> Flow) -> Said {
    let operands = operands.split("  //").next().unwrap_or_default();
    let last = operands
        .split(" <")
        .next()
        .unwrap_or_default()
        .rsplit(&[',', ' ', '\t'][..])
        .next()
        .unwrap_or_default();
    let last = last.trim().trim_start_matches("0x");
    match u64::from_str_radix(last, 16) {
        Ok(target) => Said::Flow(flow(target)),
        Err(_) => Said::Excluded("a target that is not a number"),
    }
}

// --- what objdump's words mean

const X86_PREFIXES: &[&str] = &[
    "bnd", "notrack", "rep", "repz", "repnz", "lock", "data16", "addr32", "cs", "ds", "es", "fs", "gs", "ss",
    "xacquire", "xrelease", "{evex}", "{vex}",
];

fn x86_said(line: &Line) -> Said {
    if line.operands.contains("(bad)") {
        return Said::Excluded("(bad)");
    }
    if line.operands.starts_with('.') {
        return Said::Excluded("data (.byte)");
    }
    // objdump prints the REX and goes on; the manuals, and processors, call it undefined.
    if line.bytes.windows(2).any(|pair| matches!(*pair, [0x40..=0x4f, 0xc4 | 0xc5 | 0x62]))
        && line.operands.contains("rex")
    {
        return Said::Excluded("a REX before VEX or EVEX, which a processor refuses");
    }
    let mut words = line.operands.split_whitespace();
    let Some(name) = words.find(|word| !X86_PREFIXES.contains(word) && !word.starts_with("rex")) else {
        return Said::Excluded("a prefix that objdump prints alone, as nothing it knows follows");
    };
    // A hint: "jne,pn".
    let name = name.split(',').next().unwrap_or_default();
    let operands = words.next().unwrap_or_default();
    let indirect = operands.starts_with('*');
    Said::Flow(match name {
        "call" | "callq" | "callw" | "lcall" | "lcallw" | "lcallq" if indirect => Flow::IndirectCall,
        "jmp" | "jmpq" | "jmpw" | "ljmp" | "ljmpw" | "ljmpq" if indirect => Flow::IndirectJump,
        "call" | "callq" | "callw" => return target(operands, Flow::Call),
        "jmp" | "jmpq" | "jmpw" => return target(operands, Flow::Jump),
        "xbeginw" => {
            return Said::Excluded(
                "XBEGIN with two bytes, whose target objdump cuts to 16 bits and Intel's manual does not",
            );
        }
        "xbegin" | "loop" | "loope" | "loopne" | "loopz" | "loopnz" | "loopl" | "loopel" | "loopnel" => {
            return target(operands, Flow::Conditional);
        }
        "ret" | "retq" | "retw" | "lret" | "lretq" | "lretl" | "lretw" | "iret" | "iretq" | "iretl"
        | "iretw" | "uiret" | "eretu" | "erets" | "rsm" | "sysret" | "sysretq" | "sysretl" | "sysexit"
        | "sysexitq" | "sysexitl" => Flow::Return,
        "hlt" | "int3" | "int" | "int1" | "icebp" | "ud0" | "ud1" | "ud2" | "syscall" | "sysenter"
        | "vmcall" | "vmmcall" | "vmgexit" | "vmlaunch" | "vmresume" | "vmrun" | "vmfunc" | "enclu"
        | "encls" | "enclv" | "tdcall" | "seamcall" | "seamret" | "seamops" => Flow::Trap,
        _ if name.starts_with('j') => return target(operands, Flow::Conditional),
        _ => Flow::Sequential,
    })
}

fn aarch64_said(line: &Line) -> Said {
    let operands = line.operands.as_str();
    Said::Flow(match line.mnemonic.as_str() {
        "" => return Said::Excluded("data"),
        "<UNDEFINED>" => return Said::Excluded("undefined"),
        name if name.starts_with('.') => return Said::Excluded("data or undefined (.inst, .word)"),
        "b" | "b.al" | "b.nv" | "bc.al" | "bc.nv" => return target(operands, Flow::Jump),
        "bl" => return target(operands, Flow::Call),
        "cbz" | "cbnz" | "tbz" | "tbnz" => return target(operands, Flow::Conditional),
        name if name.starts_with("b.") || name.starts_with("bc.") => {
            return target(operands, Flow::Conditional);
        }
        "br" | "braa" | "brab" | "braaz" | "brabz" => Flow::IndirectJump,
        "blr" | "blraa" | "blrab" | "blraaz" | "blrabz" => Flow::IndirectCall,
        "ret" | "retaa" | "retab" | "eret" | "eretaa" | "eretab" | "drps" => Flow::Return,
        "svc" | "hvc" | "smc" | "brk" | "hlt" | "udf" | "dcps1" | "dcps2" | "dcps3" | "tcancel" => Flow::Trap,
        _ => Flow::Sequential,
    })
}

const CONDITIONS: [&str; 14] =
    ["eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"];

/// The conditions of the instructions that an IT makes conditional, last first.
fn it_block(line: &Line) -> Option<Vec<&'static str>> {
    let then_else = line.mnemonic.strip_prefix("it")?;
    if !then_else.chars().all(|letter| matches!(letter, 't' | 'e')) {
        return None;
    }
    let first = CONDITIONS.iter().position(|&condition| condition == line.operands);
    let condition = |other: bool| first.map_or("", |first| CONDITIONS[first ^ usize::from(other)]);
    let block = std::iter::once('t').chain(then_else.chars()).map(|letter| condition(letter == 'e'));
    Some(block.collect::<Vec<_>>().into_iter().rev().collect())
}

fn thumb_said(line: &Line) -> Said {
    let (full, operands) = (line.mnemonic.as_str(), line.operands.as_str());
    match full {
        "" => return Said::Excluded("data"),
        "<UNDEFINED>" => return Said::Excluded("undefined"),
        "<ARM>" => return Said::Excluded("ARM (A32) instructions: the linker's, to call other libraries"),
        "dcps0" => return Said::Excluded("undefined"),
        _ if full.starts_with("undefined") => return Said::Excluded("undefined"),
        _ if full.starts_with('.') => {
            return Said::Excluded("data or undefined (.word, .short, .byte, .inst)");
        }
        _ => {}
    }
    let name = full.split('.').next().unwrap_or_default();
    let name = line.condition.and_then(|condition| name.strip_suffix(condition)).unwrap_or(name);
    let to_pc = operands.starts_with("pc,");
    if to_pc && line.bytes.len() == 4 && !name.starts_with("ldr") && name != "subs" {
        return Said::Excluded("4 bytes of arithmetic into PC, which the manual calls unpredictable");
    }
    Said::Flow(match name {
        "b" => return target(operands, Flow::Jump),
        "bl" => return target(operands, Flow::Call),
        "blx" if !operands.starts_with(|first: char| first.is_ascii_digit()) => Flow::IndirectCall,
        "blx" => return target(operands, Flow::Call),
        "blxns" => Flow::IndirectCall,
        "bx" | "bxns" if operands == "lr" => Flow::Return,
        "bx" | "bxns" | "bxj" | "tbb" | "tbh" => Flow::IndirectJump,
        "cbz" | "cbnz" => return target(operands, Flow::Conditional),
        _ if name.len() == 3 && name.starts_with('b') && CONDITIONS.contains(&&name[1..]) => {
            return target(operands, Flow::Conditional);
        }
        "pop" if operands.contains("pc}") => Flow::Return,
        _ if name.starts_with("ldm") && operands.contains("pc}") => Flow::Return,
        _ if name.starts_with("rfe") || name == "eret" => Flow::Return,
        "mov" | "movs" if operands == "pc, lr" => Flow::Return,
        "subs" if operands.starts_with("pc, lr") => Flow::Return,
        // A POP of one register.
        "ldr" if operands.starts_with("pc, [sp], #") && !operands.contains('-') => Flow::Return,
        "ldr" | "mov" | "add" if to_pc => Flow::IndirectJump,
        "svc" | "bkpt" | "udf" | "hlt" | "hvc" | "smc" | "dcps1" | "dcps2" | "dcps3" => Flow::Trap,
        _ => Flow::Sequential,
    })
}

// --- every opcode

fn generate(architecture: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut records: Vec<Vec<u8>> = Vec::new();
    match architecture {
        "x86" => x86_records(&mut records),
        "aarch64" => {
            for high in 0..1 << 11 {
                for low in [
                    0, 0x1f_ffff, 0x1f_03c0, 0x0f_0001, 0x10_8421, 0x0a_aaaa, 0x1f_0bff, 0x00_201f, 0x03_e7c5,
                ] {
                    records.push(((high << 21) | low as u32).to_le_bytes().into());
                }
            }
        }
        "thumb" => {
            for first in 0..=u16::MAX {
                let seconds: &[u16] = match first {
                    0..0xe800 => &[0xbf00],
                    _ => &[
                        0x0000, 0x8000, 0xf000, 0xf800, 0xd000, 0x9000, 0xe800, 0xc000, 0xa000, 0xf010,
                        0xfb04, 0xf904, 0x8f00, 0xaffe, 0xb7ff, 0xd7fe, 0x5555, 0xaaaa, 0xffff, 0x0f0f,
                        0xf003, 0x1234, 0xc812, 0xfd08, 0x7801, 0xf0c3,
                    ],
                };
                for second in seconds {
                    records.push([first.to_le_bytes(), second.to_le_bytes()].concat());
                }
            }
        }
        _ => return Err(format!("no architecture is named {architecture}").into()),
    }
    let nop: &[u8] = match architecture {
        "x86" => &[0x90],
        "aarch64" => &[0x1f, 0x20, 0x03, 0xd5],
        _ => &[0x00, 0xbf],
    };
    let mut out = io::stdout().lock();
    for record in records {
        let bytes: Vec<u8> = record.iter().chain(nop.iter().cycle()).copied().take(32).collect();
        out.write_all(&bytes)?;
    }
    Ok(())
}

fn x86_records(records: &mut Vec<Vec<u8>>) {
    let modrms: Vec<u8> = (0..8)
        .flat_map(|reg| [0x00, 0x04, 0x05, 0x44, 0x84, 0xc0, 0xc1].map(|modrm| modrm | reg << 3))
        .collect();
    let mut add = |before: &[u8], opcode: u8| {
        for &modrm in &modrms {
            // SIB with a base of 5 as well as without.
            let with_sib = modrm & 7 == 4 && modrm < 0xc0;
            for &sib in if with_sib { &[0x24, 0x25][..] } else { &[0x25] } {
                let after = [modrm, sib, 1, 2, 3, 4, 5, 6];
                records.push([before, &[opcode], &after].concat());
            }
        }
    };
    let prefixes: &[&[u8]] = &[
        &[],
        &[0x66],
        &[0xf2],
        &[0xf3],
        &[0x48],
        &[0x66, 0x48],
        &[0x67],
        &[0x66, 0xf2],
        &[0x41],
        &[0xf3, 0x4c],
        &[0x64],
        &[0xf0],
        &[0x66, 0x66, 0x2e],
    ];
    for opcode in 0..=0xff {
        for prefix in prefixes {
            if !is_legacy_or_rex(opcode) && !matches!(opcode, 0x0f | 0xc4 | 0xc5 | 0x62 | 0x8f) {
                add(prefix, opcode);
            }
            add(&[prefix, &[0x0f][..]].concat(), opcode);
            add(&[prefix, &[0x0f, 0x38][..]].concat(), opcode);
            add(&[prefix, &[0x0f, 0x3a][..]].concat(), opcode);
        }
        // POP
        add(&[], 0x8f);
        for pp in 0..4 {
            for w_l in [0x78, 0x7c, 0xf8, 0xfc] {
                add(&[0xc5, w_l | pp], opcode);
                for map in 1..4 {
                    add(&[0xc4, 0xe0 | map, w_l | pp], opcode);
                }
            }
            for w in [0x7c, 0xfc] {
                for map in [1, 2, 3, 5, 6] {
                    for l in [0x08, 0x48, 0xc9] {
                        add(&[0x62, 0xf0 | map, w | pp, l], opcode);
                    }
                }
            }
        }
        for map in 8..11 {
            for w_l in [0x78, 0x7c, 0xf8] {
                add(&[0x8f, 0xe0 | map, w_l], opcode);
            }
        }
    }
    // 3DNow!: the opcode comes last.
    for opcode in 0..=0xff {
        for (modrm, after) in [(0xc1, 0), (0x44, 2), (0x05, 4)] {
            let operands = [modrm].into_iter().chain(std::iter::repeat_n(0x11, after));
            records.push([0x0f, 0x0f].into_iter().chain(operands).chain([opcode]).collect());
        }
    }
}
