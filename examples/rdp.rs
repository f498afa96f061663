//! A debugger for machine tools: the host's end of RDPv3, on the command line.
//!
//! ```text
//! $ cargo run --example rdp -- --connect tcp:127.0.0.1:7000 --token operator \
//!       break set 0x20000110, wait, regs, step 3, resume, audit
//! breakpoint 1 at 0x20000110, slot 0
//! stopped: breakpoint 1  pc 0x20000110
//! r0   0x00001328  r1   0x00001001  r2   0x00001002  r3   0x00001003
//! ...
//! ```
//!
//! If no commands are given, it reads them from standard input. `--help` lists the options and exit codes, and the
//! command `help` lists the commands. `rdp_sim` is a machine to try it on.
//!
//! Read `rdp/client.rs` first, which is a session. Then `rdp/tool.rs`, which is what this program does with it.
//! `rdp/json.rs` uses the same for the conformance suite.

#[path = "rdp/address.rs"]
mod address;
#[path = "rdp/audit.rs"]
mod audit;
#[path = "rdp/client.rs"]
mod client;
#[path = "rdp/command.rs"]
mod command;
#[path = "rdp/digits.rs"]
mod digits;
#[path = "rdp/failure.rs"]
mod failure;
#[path = "rdp/json.rs"]
mod json;
#[path = "rdp/lists.rs"]
mod lists;
#[path = "rdp/memory.rs"]
mod memory;
#[path = "rdp/names.rs"]
mod names;
#[path = "rdp/options.rs"]
mod options;
#[path = "rdp/show.rs"]
mod show;
#[path = "rdp/symbols.rs"]
mod symbols;
#[path = "rdp/tool.rs"]
mod tool;
#[path = "rdp/words.rs"]
mod words;

use std::process::ExitCode;

use crate::client::Client;
use crate::command::Command;
use crate::failure::Failure;
use crate::options::{Options, USAGE};
use crate::symbols::Symbols;
use crate::tool::Tool;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprint!("rdp: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let done = if options.json { json::run(&options) } else { run(&options) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !options.json && !matches!(failure, Failure::Told(_)) {
                eprintln!("rdp: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let symbols = match &options.symbols {
        Some(path) => Symbols::read(path).map_err(Failure::Usage)?,
        None => Symbols::default(),
    };
    // A wrong command is found before anything is done to the machine.
    let commands = options.commands.as_deref();
    let commands = commands.map(Command::parse_all).transpose().map_err(Failure::Usage)?;

    let client = Client::connect(options, commands.is_none())?;
    let mut tool = Tool::new(client, symbols);
    let done = match commands {
        Some(commands) => tool.execute_all(&commands).map(drop),
        None => tool.converse(),
    };
    tool.finish(done)
}
