//! What a WebSocket connection costs in memory: `cargo run --release -p feedrate-benches --bin ws_memory`.
//!
//! The numbers are the same in every run.
#![allow(missing_docs)]

use feedrate_benches::ws::streams::{Kind, Stream, message};
use feedrate_benches::ws::{CONTENDERS, Contender, Idle, Pass, Role};
use feedrate_testkit::counting::{self, Counting, taken};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIZES: [usize; 3] = [125, 1024, 64 * 1024];
/// Of payload in a pass, or as much as this many messages are if that is more.
const TOTAL: usize = 1 << 20;
const LEAST: usize = 64;

type Work = fn(&Contender, usize) -> Pass;

const WORK: [(&str, Work); 5] = [
    ("decode, server", |contender, size| (contender.decode)(&stream(Role::Server, size))),
    ("decode, client", |contender, size| (contender.decode)(&stream(Role::Client, size))),
    ("encode, server", |contender, size| (contender.encode)(Role::Server, &text(size), times(size))),
    ("encode, client", |contender, size| (contender.encode)(Role::Client, &text(size), times(size))),
    ("round trip", |contender, size| (contender.round_trip)(&text(size), times(size))),
];

fn main() {
    println!(
        "Bytes that a server holds for a connection that waits, after it has echoed a message of 125 bytes.\n"
    );
    println!("{:<20} {:>8} {:>8} {:>8} {:>8} {:>10}", "", "state", "heap", "future", "sum", "lent");
    for contender in CONTENDERS {
        let Idle { state, heap, waiting, lent } = (contender.idle)(&text(125), &|| counting::live() as usize);
        let sum = state + heap + waiting;
        println!("{:<20} {state:>8} {heap:>8} {waiting:>8} {sum:>8} {lent:>10}", contender.name);
    }
    println!(
        "\n\"state\" is the connection's own type without the socket, \
         \"future\" is what a task holds that waits for a message\n\
         in one. \"lent\" are buffers of the caller's that all its connections can share: \
         a connection that waits needs none of\n\
         it, but for the bytes of a frame's header that was cut. \
         They are as large as this measurement's largest message."
    );
    println!(
        "\nAllocations a message, in a second pass over as many messages as the first had. \
         Each message is let go before the\n\
         next one is read: a peer whose messages share its buffer needs a new one for those that are kept.\n"
    );
    print!("{:<28}", "");
    CONTENDERS.iter().for_each(|contender| print!(" {:>18}", contender.name));
    println!();
    for (what, work) in WORK {
        for size in SIZES {
            print!("{:<28}", format!("{what}, {size} B"));
            for contender in CONTENDERS {
                let mut pass = work(&contender, size);
                pass();
                let (used, visited) = taken(&mut pass);
                print!(" {:>18.3}", used.allocations as f64 / visited.messages as f64);
            }
            println!();
        }
    }
}

fn stream(reader: Role, size: usize) -> Stream {
    Stream::new(reader, Kind::Ascii, size, times(size) * size)
}

fn text(size: usize) -> String {
    String::from_utf8(message(Kind::Ascii, size, 0)).expect("it is text")
}

fn times(size: usize) -> usize {
    (TOTAL / size).max(LEAST)
}
