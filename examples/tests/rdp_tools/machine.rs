//! The programs, and what comes of running them.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where an example is. `cargo test` builds them with the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let path = test.ancestors().nth(2).expect("target/PROFILE").join("examples").join(name);
    let path = path.with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is missing: cargo build -p feedrate-examples --examples", path.display());
    path
}

/// A machine that ends with the test.
pub(crate) struct Machine {
    pub(crate) program: Child,
    /// Of its listeners, in the order in which it says them: the operator's, the bulk lane's, the observers'.
    pub(crate) addresses: Vec<String>,
    pub(crate) answers: BufReader<ChildStdout>,
}

impl Machine {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(example("rdp_sim"));
        let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = command.spawn().unwrap();
        let mut answers = BufReader::new(program.stdout.take().unwrap());
        let listeners = ["--listen", "--bulk-listen", "--observe"];
        let count = arguments.iter().filter(|argument| listeners.contains(argument)).count();
        let addresses =
            (0..count).map(|_| line(&mut answers).split_once(' ').unwrap().1.to_owned()).collect();
        Self { program, addresses, answers }
    }

    /// Changes what is around the machine.
    pub(crate) fn knob(&mut self, knob: &str) -> String {
        let stdin = self.program.stdin.as_mut().unwrap();
        writeln!(stdin, "{knob}").and_then(|()| stdin.flush()).unwrap();
        line(&mut self.answers)
    }

    pub(crate) fn tcp() -> Self {
        Self::start(&["--listen", "0"])
    }

    pub(crate) fn rdp(&self, commands: &str) -> Outcome {
        rdp(&["--connect", &self.addresses[0], "--token", "operator", "--script", commands])
    }
}

pub(crate) fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// What came of running `rdp`.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    /// What it has printed, if it did all that it was told to.
    pub(crate) fn good(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "it printed:\n{}", self.out);
        self.out
    }

    /// It has failed with this code, and said why.
    pub(crate) fn bad(self, code: i32, why: &str) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.contains(why), "{why:?} is not in {:?}", self.err);
        self.out
    }
}

pub(crate) fn rdp(arguments: &[&str]) -> Outcome {
    told(arguments, "")
}

/// Runs `rdp` with something on its standard input.
pub(crate) fn told(arguments: &[&str], input: &str) -> Outcome {
    outcome(start(arguments, input))
}

pub(crate) fn start(arguments: &[&str], input: &str) -> Child {
    let mut command = Command::new(example("rdp"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = command.spawn().unwrap();
    program.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    program
}

/// It says little enough for the pipes to hold.
pub(crate) fn outcome(mut program: Child) -> Outcome {
    let began = Instant::now();
    let status = loop {
        if let Some(status) = program.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > Duration::from_secs(60) {
            program.kill().unwrap();
            panic!("rdp does not end: {:?}", program.wait_with_output());
        }
        thread::sleep(Duration::from_millis(5));
    };
    let (mut out, mut err) = (String::new(), String::new());
    program.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    program.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Outcome { code: status.code().unwrap_or(-1), out, err }
}

/// The values behind a name, in the order in which they are printed.
pub(crate) fn values(text: &str, name: &str) -> Vec<u64> {
    let name = format!("{name} ");
    let behind = text.split(&name).skip(1).filter_map(|rest| rest.split_whitespace().next());
    behind.filter_map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()).collect()
}
