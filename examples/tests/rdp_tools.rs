//! The debugger `rdp` and the simulated machine `rdp_sim` of the examples, talking to each other.
//!
//! They are the programs that `cargo test -p feedrate-examples` has built; a test that is asked for by its name alone
//! (`--test rdp_tools`) takes those that are there.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

#[path = "rdp_tools/machine.rs"]
mod machine;

use crate::machine::{Machine, example, outcome, rdp, start, told, values};

/// Bytes go to and fro between two streams, until the flag is set: then they vanish.
fn join<A, B>(a: (A, A), b: (B, B), cut: &Arc<AtomicBool>)
where
    A: Read + Write + Send + 'static,
    B: Read + Write + Send + 'static,
{
    fn pump(mut from: impl Read, mut to: impl Write, cut: &AtomicBool) {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            if !cut.load(Relaxed) && to.write_all(&bytes[..length]).is_err() {
                return;
            }
        }
    }
    let (there, back) = (Arc::clone(cut), Arc::clone(cut));
    thread::spawn(move || pump(a.0, b.0, &there));
    thread::spawn(move || pump(b.1, a.1, &back));
}

#[test]
fn stops_at_a_breakpoint_and_steps_from_there() {
    let machine = Machine::tcp();
    let out = machine.rdp("break set 0x20000110; wait; regs; step 3; break list; resume; wait; audit").good();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[0], "breakpoint 1 at 0x20000110, slot 0");
    assert_eq!(lines[1], "stopped: breakpoint 1  pc 0x20000110");
    assert_eq!(lines[2][17..], *"r1   0x00001001  r2   0x00001002  r3   0x00001003");
    assert_eq!(values(&out, "pc")[1], 0x2000_0110, "regs:\n{out}");

    let r0 = values(lines[2], "r0  ")[0];
    for (i, line) in lines[7..10].iter().enumerate() {
        let i = i as u64 + 1;
        assert_eq!(*line, format!("pc {:#x}  r0 {:#010x}", 0x2000_0110 + 2 * i, r0 + i));
    }
    assert_eq!(lines[10], "breakpoint 1 at 0x20000110, hits 1");
    assert_eq!(lines[11], "stopped: breakpoint 1  pc 0x20000110");
    for (line, what) in lines[13..].iter().zip(["SetBreakpoint ", "Step ", "Resume "]) {
        assert!(line.contains(what) && line.contains(" this ") && line.contains(" operator "), "{line}");
        assert!(line.contains(" done"), "{line}");
    }
    assert_eq!(lines.len(), 16, "{out}");
}

#[test]
fn steps_over_and_through_a_range() {
    let machine = Machine::tcp();
    let out = machine.rdp("break 0x20000110; wait; step over; step range 0x20000112 0x2000011e; step").good();
    let lines: Vec<_> = out.lines().collect();
    let at = |line: &str| values(line, "pc")[0];
    assert_eq!([at(lines[2]), at(lines[3]), at(lines[4])], [0x2000_0112, 0x2000_0120, 0x2000_0122], "{out}");
    assert_eq!(lines.len(), 5, "{out}");
}

#[test]
fn watches_forces_and_lets_go() {
    let machine = Machine::tcp();
    let out = machine.rdp(
        "halt; force 0x20000020 -2 --lease 60000; read 0x20000020 4; resume; read 0x20000020 4; \
         release 0x20000020; read 0x20000020 4; halt; force 0x20000020 hex:0badcafe --lease 300; \
         read 0x20000020 4; renew 0x20000020 --lease 900; sleep 500; read 0x20000020 4; sleep 900; \
         read 0x20000020 4; status",
    );
    let out = out.good();
    let reads: Vec<_> = out.lines().filter_map(|line| line.strip_prefix("0x20000020  ")).collect();
    let starts =
        ["fe ff ff ff ", "fe ff ff ff ", "20 21 22 23 ", "0b ad ca fe ", "0b ad ca fe ", "20 21 22 23 "];
    assert_eq!(reads.len(), starts.len(), "{out}");
    assert!(reads.iter().zip(starts).all(|(read, start)| read.starts_with(start)), "{out}");
    assert!(out.contains("\nforces       0\n"), "{out}");

    let out = machine.rdp("resume; watch 0x20000010 4 --count 4 --every 20").good();
    let cycles: Vec<_> = values(&out, "=");
    assert!(cycles.len() == 4 && cycles.is_sorted_by(|a, b| a < b), "{out}");

    let machine = Machine::tcp();
    let out = machine.rdp("watchpoint 0x20000010 4 7; wait; step 5; break clear 7; break list").good();
    assert_eq!(out.matches("stopped: watchpoint 7 at 0x20000010  pc ").count(), 2, "{out}");
    assert!(!out.contains("hits"), "{out}");
}

#[test]
fn variables_by_name() {
    let machine = Machine::tcp();
    let out = machine.rdp("variables").good();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 5, "{out}");
    assert!(lines[0].starts_with("cycles ") && lines[0].ends_with("  0x20000010  unsigned 4"), "{out}");
    assert!(lines[1].starts_with("setpoint ") && lines[1].ends_with("  signed 4  forceable"), "{out}");

    let out = machine.rdp(
        "halt; force setpoint -2 --lease 60000 --safe 9; read setpoint; read setpoint 4; read setpoint+1 1; \
         renew setpoint --lease 50000; release setpoint; read setpoint; write limit 0xffffffff; read limit; \
         break list; status",
    );
    let out = out.good();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!((lines[1], lines[4], lines[5]), ("setpoint = -2", "setpoint = 9", "limit = 4294967295"));
    assert!(lines[2].starts_with("0x20000020  fe ff ff ff "), "{out}");
    assert!(lines[3].starts_with("0x20000021  ff "), "{out}");
    assert!(out.contains("\nmodified     memory or registers were written to\n"), "{out}");

    // What does not fit is found before anything is done: nothing is halted.
    for (command, why) in [
        ("force nothing 1 --lease 9", r#""nothing" is no address, nor a name that the agent or --elf knows"#),
        ("force override -1 --lease 9", r#""-1" is no VALUE: expected a number of 4 bytes, not negative"#),
        ("write setpoint 0x80000000", "expected a number of 4 bytes, with a sign"),
        ("write setpoint 1 --size 2", "setpoint has 4 bytes, and not 2"),
        ("force setpoint 1 --lease 9 --safe hex:01", "expected 4 bytes behind hex:"),
    ] {
        let machine = Machine::tcp();
        machine.rdp(&format!("halt; {command}")).bad(2, why);
        assert!(machine.rdp("status").good().contains("program      running\n"), "{command}");
    }
}

#[test]
fn registers_are_written() {
    let machine = Machine::tcp();
    let out = machine.rdp("halt; regs; setreg r3 0xbeef; setreg 4 7; regs changed").good();
    let changed: Vec<_> = out.lines().skip(6).collect();
    assert_eq!(changed[0], "r3   0x0000beef  r4   0x00000007", "{out}");
    assert!(changed[1].starts_with("pc   0x200001") && changed.len() == 2, "{out}");
    machine.rdp("setreg r77 1").bad(2, r#""r77" is no register of this device"#);
    machine
        .rdp("resume; setreg r3 1")
        .bad(1, "setreg was refused: the program is running and would have to be stopped");
}

#[test]
fn memory_has_a_map() {
    let machine = Machine::tcp();
    let out = machine.rdp("map; read 0x40000000 4; read 0x20000400 1");
    let map = "0x20000000 to 0x200003ff  plain\n0x20000400 to 0x200004ff  protected\n\
               0x40000000 to 0x400000ff  reading has side effects\n";
    let out = out.bad(1, "read was refused: the address is in a protected region");
    assert!(out.starts_with(map) && out.contains("\n0x40000000  00 00 00 00 "), "{out}");
}

#[test]
fn the_machine_around_the_program() {
    let machine = Machine::tcp();
    let out = machine.rdp("halt; setaxis 1 -12.5mm; setaxis 2 7; state; metrics").good();
    for line in [
        "device   reference (7265666572656e63652d6d6163683031)",
        "life     in development, boot 1, program of generation 1",
        "halt     stops the program only",
        "loss     holds the feed first",
        "log      in memory that a reset loses",
        "program  stopped",
        "axis 1   -12.500000 mm",
        "axis 2   0.000007 mm",
        "plc 0     100 101 102 103 104 105 106 107",
        "cursor   O1000 line 12, byte 345",
        "commands refused                   0",
    ] {
        assert!(out.lines().any(|there| there == line), "{line:?} is not in\n{out}");
    }
    let out = machine.rdp("state").good();
    assert!(out.contains("\nbefore   the last session ended: it was asked for\n"), "{out}");
    assert!(out.contains("\nbefore   it stopped: halted\n"), "{out}");
}

#[test]
fn the_log_is_read_and_released() {
    let machine = Machine::tcp();
    machine.rdp("break 0x20000110; clear 1; break 0x20000112; clear 2; break 0x20000114; clear 3").good();
    machine.rdp("break 0x20000110; clear 1; break 0x20000112; clear 2").good();
    // Twelve have room; the end of a session is one of them.
    machine.rdp("break 0x20000110").bad(1, "(AuditFull(15))");
    let out = machine.rdp("audit; audit --release; audit 13").good();
    assert_eq!(out.matches(" ClearBreakpoint ").count(), 10, "{out}");
    assert!(out.contains("\nwhat is below 13 may be overwritten\n"), "{out}");
    let behind = out.split("may be overwritten\n").nth(1).unwrap();
    assert!(behind.contains(" ReleaseAudit ") && behind.contains(" done      below 13"), "{out}");
    machine.rdp("break 0x20000110").good();
}

#[test]
fn serial_lines_and_a_bulk_lane() {
    let machine = Machine::start(&["--listen", "0", "--serial", "--bulk-listen", "0"]);
    let [signal, bulk] = &machine.addresses[..] else { panic!("two lanes") };
    let (signal, bulk) = (format!("uart:{signal}"), format!("uart:{bulk}"));
    let lanes = ["--connect", &signal, "--token", "operator", "--bulk", &bulk];
    let out = rdp(&[&lanes[..], &["read", "0x20000000", "2000,", "metrics"]].concat()).good();
    let row = "0x20000100  05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14  ................\n";
    assert!(out.contains(row), "{out}");
    assert!(out.contains("\nthe rest is not mapped\n"), "{out}");
    let metric = |name: &str| {
        let line = out.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<u32>().unwrap()
    };
    assert!(metric("bulk lane: packets sent ") >= 4, "{out}");
    assert_eq!(metric("bulk lane became damaged"), 0);

    // The signal lane alone will do.
    rdp(&[&lanes[..4], &["read", "0x20000000", "500"]].concat()).good();
}

#[cfg(unix)]
#[test]
fn a_unix_socket_stands_for_a_serial_line() {
    use std::os::unix::net::UnixListener;

    let machine = Machine::start(&["--listen", "0", "--serial"]);
    let path = std::env::temp_dir().join(format!("feedrate-rdp-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let address = machine.addresses[0].clone();
    thread::spawn(move || {
        let (near, far) = (listener.accept().unwrap().0, TcpStream::connect(address).unwrap());
        let (near, far) = ((near.try_clone().unwrap(), near), (far.try_clone().unwrap(), far));
        join(near, far, &Arc::default());
    });
    let serial = format!("serial:{}", path.display());
    let outcome = rdp(&["--connect", &serial, "--token", "operator", "halt,", "step", "2"]);
    let _ = std::fs::remove_file(&path);
    assert_eq!(outcome.good().lines().count(), 3);
}

#[test]
fn what_is_refused_and_why() {
    let mut machine = Machine::tcp();
    machine
        .rdp("force 0x20000020 1 --lease 10")
        .bad(1, "force was refused: an interlock forbids it (Interlock(14))");
    machine.rdp("break 0x20000101").bad(1, "breakpoint was refused: there is nothing at this address");
    // To halt what stands is no mistake, and brings nothing new.
    let out = machine.rdp("halt; halt").good();
    assert_eq!(out.lines().count(), 2, "{out}");
    machine.rdp("step 0").bad(1, "step was refused: a count or length is 0 or above the limit");
    machine.rdp("policy 1 on deny 0x20000102 0x20000104; break 0x20000104").bad(1, "(Policy(20), detail 1)");
    machine.rdp("policy 2 --replaces 7 off").bad(1, "(Policy(20), detail 1)");
    machine.rdp("policy 2 off; break 0x20000104").good();
    assert_eq!(machine.knob("permit 1"), "ok");
    machine.rdp("resume").bad(1, "resume was refused: the grant or the local permission does not contain it");

    assert_eq!(machine.knob("permit 31"), "ok");
    let observer = ["--connect", &machine.addresses[0], "--token", "observer"];
    let out = rdp(&[&observer[..], &["status,", "resume,", "status"]].concat());
    assert_eq!(
        out.bad(1, "the grant or the local permission does not contain it").matches("program").count(),
        1,
        "the rest is not done"
    );
}

#[test]
fn one_operator_and_who_watches() {
    let machine = Machine::start(&["--listen", "0", "--observe", "0"]);
    let [operators, observers] = &machine.addresses[..] else { panic!("two listeners") };
    let program =
        start(&["--connect", operators, "--token", "operator", "--script", "halt; sleep 1500; status"], "");
    thread::sleep(Duration::from_millis(500));
    machine.rdp("status").bad(3, "there is no session: the peer hung up without a word");
    let watcher = ["--connect", observers, "--token", "operator"];
    let out = rdp(&[&watcher[..], &["status,", "resume"]].concat()).bad(1, "(Denied(5), detail 2)");
    assert!(out.contains("program      stopped\n"), "{out}");
    outcome(program).good();
}

#[test]
fn sessions_that_are_refused() {
    let machine = Machine::tcp();
    let to = ["--connect", &machine.addresses[0]];
    let wrong = [&to[..], &["--token", "nobody", "status"]].concat();
    rdp(&wrong).bad(4, "the agent refuses the session: the token is refused (BadToken(6), detail 1)");
    let other = ["--token", "operator", "--device", "000102030405060708090a0b0c0d0e0f", "status"];
    let other = [&to[..], &other].concat();
    rdp(&other).bad(5, "this is device 7265666572656e63652d6d6163683031, not the one that is meant");
    let this = [&to[..], &["--token", "operator", "--device", "7265666572656e63652d6d6163683031", "status"]];
    rdp(&this.concat()).good();
    let other = [&to[..], &["--token", "operator", "--generation", "2", "status"]].concat();
    rdp(&other).bad(5, "the program is of generation 1, expected 2");
}

#[test]
fn a_machine_that_is_not_ready() {
    let mut machine = Machine::start(&["--listen", "0", "--serial", "--reference"]);
    assert_eq!(machine.knob("recovery-fails 1"), "ok");
    let address = format!("uart:{}", machine.addresses[0]);
    let busy = rdp(&["--connect", &address, "--token", "operator", "status"]);
    busy.bad(3, "there is no session: the peer is busy: another host has a session, or the machine has not");
    assert_eq!(machine.knob("recovery-fails 0"), "ok");
    rdp(&["--connect", &address, "--token", "operator", "status"]).good();
}

#[test]
fn a_program_that_changes() {
    let mut machine = Machine::tcp();
    let program = start(
        &[
            "--connect",
            &machine.addresses[0],
            "--token",
            "operator",
            "--script",
            "read setpoint; sleep 30000",
        ],
        "",
    );
    thread::sleep(Duration::from_millis(500));
    assert_eq!(machine.knob("generation 2"), "ok");
    outcome(program).bad(6, "the session has ended: the program has changed");
}

#[test]
fn nobody_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    rdp(&["--connect", &address, "status"]).bad(3, "no RDPv3 agent there: nobody answers the handshake");
    drop(listener);
    rdp(&["--connect", &address, "status"]).bad(3, &format!("cannot connect to {address}"));
    rdp(&["--connect", "serial:/nonexistent", "status"]).bad(3, "cannot open /nonexistent");

    // Something else answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n");
            thread::sleep(Duration::from_secs(1));
        }
    });
    rdp(&["--connect", &address, "status"]).bad(3, "there is no session: the stream is not RDPv3");
}

#[test]
fn a_machine_that_goes_away() {
    let machine = Machine::tcp();
    let program = start(
        &["--connect", &machine.addresses[0], "--token", "operator", "--script", "status; sleep 30000"],
        "",
    );
    thread::sleep(Duration::from_millis(500));
    drop(machine);
    outcome(program).bad(6, "the session has ended: the line is gone");
}

#[test]
fn a_machine_that_falls_silent() {
    let machine = Machine::tcp();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    let (cut, address) = (Arc::new(AtomicBool::new(false)), machine.addresses[0].clone());
    let pump = Arc::clone(&cut);
    thread::spawn(move || {
        let (near, far) = (listener.accept().unwrap().0, TcpStream::connect(address).unwrap());
        join((near.try_clone().unwrap(), near), (far.try_clone().unwrap(), far), &pump);
    });
    let program = start(&["--connect", &proxy, "--token", "operator", "--script", "halt; sleep 30000"], "");
    thread::sleep(Duration::from_millis(500));
    cut.store(true, Relaxed);
    outcome(program).bad(6, "the session has ended: the peer was not heard for the loss time");
}

/// Nobody reads what the machine answers to its knobs: its pipe is full, and it debugs on.
#[test]
fn answers_that_nobody_reads() {
    let mut machine = Machine::tcp();
    let mut stdin = machine.program.stdin.take().unwrap();
    thread::spawn(move || {
        // More than a pipe holds, each way.
        let line = format!("{}\n", "x".repeat(1000));
        while stdin.write_all(line.as_bytes()).is_ok() {}
    });
    thread::sleep(Duration::from_millis(500));
    let out = machine.rdp("halt; step 3; read 0x20000000 4").good();
    assert!(out.contains("0x20000000  00 01 02 03 "), "{out}");
}

#[test]
fn a_conversation() {
    let machine = Machine::tcp();
    let to = ["--connect", &machine.addresses[0], "--token", "operator"];
    let input =
        "break 0x20000110\nwait\nnonsense\nforce 0x20000000 1 --lease 10\nstep 2; quit; status\nstatus\n";
    let outcome = told(&to, input);
    assert!(outcome.err.contains(r#""nonsense": there is no such command"#), "{outcome:?}");
    let out = outcome.bad(1, "force was refused");
    assert_eq!(out.lines().count(), 4, "{out}");
    // The machine lives on, and stands.
    let out = machine.rdp("wait; resume; wait 100").bad(7, "the program has not stopped within 100 ms");
    assert_eq!(out, "it stands, since before this session\n");
}

#[test]
fn the_machine_of_the_conformance_suite_begins_anew() {
    let machine = Machine::start(&["--reference", "--listen", "0"]);
    machine.rdp("halt; setaxis 0 5").good();
    let out = machine.rdp("state; audit").good();
    assert!(out.contains("program  running\n") && out.contains("axis 0   1.000000 mm\n"), "{out}");
    assert!(out.contains("boot 3,"), "{out}");
    assert!(!out.contains("done"), "{out}");
}

#[test]
fn the_host_of_the_conformance_suite() {
    let machine = Machine::start(&["--reference", "--listen", "0"]);
    let input = "status\nhalt\nstopped\nstep 1 0\nstopped\nread 0x20000000 4\nplc 2 2\nstep 0 0\nxyz\n\
                 force 0x20000020 5000 01020304 00000000\nrenew 0x20000020 5000\nwrite 0x20000080 beef\n\
                 setreg 3 9\nrange 0 1 0\naudit 4 1\nrelease-audit 5 1\n";
    let outcome = told(&["--json", &machine.addresses[0], "--token", "operator"], input);
    let out = outcome.good();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(
        lines[0],
        concat!(
            r#"{"active": true, "fingerprint": "7265666572656e63652d6d6163683031", "architecture": 1, "#,
            r#""capabilities": 255, "authority": 31, "generation": 1, "credit": 4, "name": "reference", "#,
            r#""state": {"run": 1, "axes": [1000000, -2000000, 3000000], "#,
            r#""plc": [100, 101, 102, 103, 104, 105, 106, 107], "program": 1000, "line": 12, "offset": 345, "#,
            r#""modified": 0, "stuck": 0, "last": 0, "last_detail": 0, "cause": 0, "ended": []}}"#,
        )
    );
    assert!(
        lines[1].starts_with(r#"{"run": 1, "breakpoints": 0, "forces": 0, "steps": 0, "policy": 0,"#),
        "{out}"
    );
    assert_eq!((lines[2], lines[4]), (r#"{"done": true}"#, r#"{"done": true}"#));
    assert!(lines[3].contains(r#""reason": 4, "more": 0, "axes": 1, "detail": 0, "pc": 53687"#), "{out}");
    assert!(lines[5].contains(r#""reason": 1,"#) && lines[5].contains(r#""xpsr": 16777216}"#), "{out}");
    assert_eq!(lines[6], r#"{"addr": 536870912, "data": "00010203"}"#);
    assert_eq!(lines[7], r#"{"first": 2, "registers": [102, 103]}"#);
    assert!(lines[8].starts_with(r#"{"error": 19, "#), "{out}");
    assert!(lines[9].starts_with(r#"{"error": 0, "detail": 0, "why": ""#), "{out}");
    assert_eq!(lines[10..15], [r#"{"done": true}"#; 5]);
    assert!(
        lines[15].starts_with(r#"{"oldest": 0, "next": 6, "lost": 0, "records": [{"index": 4, "boot": "#)
    );
    assert!(
        lines[15].contains(r#""suite": 0, "kind": 30, "cause": 0, "verdict": 0, "count": 1, "addr": 3, "#)
    );
    assert_eq!(lines[16..], [r#"{"error": 29, "detail": 0}"#, r#"{"closed": 1}"#]);

    let refused = told(&["--json", &machine.addresses[0], "--token", "nobody"], "");
    let why = r#"{"closed": 0, "why": "the agent refuses the session: the token is refused (BadToken(6), detail 1)"}"#;
    assert_eq!((refused.code, refused.out.trim_end()), (4, why));
}

#[test]
fn mistakes_are_found_before_anything_is_done() {
    for (arguments, why) in [
        (&["status"][..], "--connect is missing"),
        (&["--connect", "nowhere", "status"], "expected tcp:HOST:PORT, uart:HOST:PORT or serial:PATH"),
        (&["--connect", "127.0.0.1:1", "--device", "123", "status"], "expected 32 hexadecimal digits"),
        (&["--connect", "127.0.0.1:1", "status,", "jump"], r#""jump": there is no such command"#),
        (&["--connect", "127.0.0.1:1", "read", "7axis"], r#""7axis" is no address, nor a name"#),
        (&["--connect", "127.0.0.1:1", "--bulk", "serial:/dev/null", "halt"], "--connect is none"),
        (&["--connect", "127.0.0.1:1", "read", "0"], "LENGTH is missing"),
        (&["--connect", "127.0.0.1:1", "break", "0", "4294967296"], "expected a number of 32 bits"),
        (&["--connect", "127.0.0.1:1", "force", "0", "1"], "--lease MS is missing"),
        (&["--connect", "127.0.0.1:1", "force", "0", "256", "--size", "1", "--lease", "9"], "of 1 bytes"),
        (&["--connect", "127.0.0.1:1", "halt", "now"], r#""now" is too much"#),
        (
            &["--connect", "127.0.0.1:1", "--elf", "/nonexistent", "halt"],
            "cannot read symbols from /nonexistent",
        ),
    ] {
        rdp(arguments).bad(2, why);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_stand_for_addresses() {
    let machine = Machine::tcp();
    // Any ELF file will do; this one is not what the machine runs, and so its names are of nothing that is mapped.
    let elf = example("rdp_sim");
    let to = ["--connect", &machine.addresses[0], "--token", "operator", "--elf", elf.to_str().unwrap()];
    rdp(&[&to[..], &["read", "main+2", "4"]].concat())
        .bad(1, "read was refused: there is nothing at this address");
    rdp(&[&to[..], &["read", "no_such_name", "4"]].concat()).bad(2, r#""no_such_name" is no address"#);
}
