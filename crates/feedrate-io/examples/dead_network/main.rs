//! Many connections over a network that dies, for tests/rig/dead_network.sh. It is no program to start from.
//!
//! ```text
//! dead_network serve|connect ADDRESS N dies|returns
//! ```
//!
//! N connections of each [`Kind`] talk. It says `talking` when all of them do, and reads a line when the network has
//! died. Then each has to end with the limit that is its own, in its time; or, if the network `returns`, after the last
//! of its messages, with none lost.

mod kind;
mod plan;
mod rdp;
mod talk;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, timeout};

use crate::kind::Kind;
use crate::plan::{Plan, talking};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How long everything may take from when the network has died.
const PATIENCE: Duration = Duration::from_secs(40);

static DEAD: OnceLock<Instant> = OnceLock::new();

fn descriptors() -> Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

async fn run(role: &str, address: SocketAddr, count: usize, plan: Plan) -> Result<bool> {
    let kinds: Vec<_> = Kind::ALL.into_iter().filter(|kind| kind.is_in(plan)).collect();
    let mut ends: JoinSet<(Kind, String, Instant)> = JoinSet::new();
    let serves = role == "serve";
    let mut listeners = Vec::new();
    if serves {
        for kind in &kinds {
            listeners.push(TcpListener::bind((address.ip(), address.port() + kind.number())).await?);
        }
        println!("listening {address}");
    }
    let before = descriptors()?;
    for (at, kind) in kinds.iter().enumerate() {
        for _ in 0..count {
            let socket = match listeners.get(at) {
                Some(listener) => listener.accept().await?.0,
                None => TcpStream::connect((address.ip(), address.port() + kind.number())).await?,
            };
            let (kind, talk) = (*kind, kind.talk(serves, socket, plan));
            ends.spawn_local(async move { (kind, talk.await, Instant::now()) });
        }
    }
    let all = kinds.len() * count;
    while talking() < all {
        sleep(Duration::from_millis(20)).await;
    }
    println!("talking");
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        let _ = DEAD.set(Instant::now());
    });
    while DEAD.get().is_none() {
        sleep(Duration::from_millis(5)).await;
    }
    let dead = *DEAD.get().ok_or("it is set")?;
    let mut ended = Vec::new();
    let all_ended = timeout(PATIENCE, async {
        while let Some(end) = ends.join_next().await {
            ended.push(end?);
        }
        Ok::<(), tokio::task::JoinError>(())
    });
    let in_time = all_ended.await;
    let lives = all - ended.len();
    if let Ok(done) = in_time {
        done?;
    }
    let mut good = lives == 0;
    for kind in kinds {
        let (whys, within) = kind.expected(serves, plan);
        let (mut took, mut said) = (Vec::new(), BTreeSet::new());
        for (_, why, at) in ended.iter().filter(|(its, ..)| *its == kind) {
            let since = at.saturating_duration_since(dead).as_secs_f64();
            if !whys.contains(&why.as_str()) || !within.contains(&since) {
                good = false;
                println!(
                    "{role} {kind:?}: \"{why}\" after {since:.2} s, expected {whys:?} within {within:?}"
                );
            }
            took.push(since);
            said.insert(why.as_str());
        }
        took.sort_by(f64::total_cmp);
        if let (Some(first), Some(last)) = (took.first(), took.last()) {
            println!("{role} {kind:?}: {} ended by {said:?}, {first:.2} to {last:.2} s after", took.len());
        }
    }
    let left = descriptors()?.saturating_sub(before);
    println!("{role}: {lives} live on, {left} descriptors are left");
    Ok(good && left == 0)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [role, address, count, plan] = &arguments[..] else {
        eprintln!("usage: dead_network serve|connect ADDRESS N dies|returns");
        return ExitCode::from(2);
    };
    let done = || -> Result<bool> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let run = run(role, address.parse()?, count.parse()?, Plan { returns: plan == "returns" });
        LocalSet::new().block_on(&runtime, run)
    };
    match done() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{role}: {error}");
            ExitCode::FAILURE
        }
    }
}
