//! Clients that do as they should.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use feedrate::pg::backend::Message;
use feedrate::pg::frontend::Query;
use tokio::time::{Instant, sleep, sleep_until};

use crate::client::{Client, Result, log_in};

/// How often each asks, and for how many rows.
const EACH: Duration = Duration::from_secs(1);
const ROWS: usize = 10;
/// Until the malicious clients are all there, or gone.
const SETTLE: Duration = Duration::from_secs(8);

#[derive(Default)]
struct Times {
    counts: AtomicBool,
    taken: Mutex<Vec<Duration>>,
}

pub(crate) async fn measure(address: &str, numbers: &[&str]) -> Result<()> {
    let numbers =
        numbers.iter().map(|number| number.parse()).collect::<std::result::Result<Vec<u32>, _>>()?;
    let [clients, bad, rounds, seconds] = numbers[..] else { return Err("four numbers".into()) };
    let times = Arc::new(Times::default());
    let start = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..clients {
        let client = log_in(address).await?;
        let first = start + Duration::from_secs(10) + EACH * number / clients;
        tasks.push(tokio::spawn(ask(client, first, Arc::clone(&times))));
    }
    println!("{clients} clients have logged in after {:.1} s", start.elapsed().as_secs_f64());
    sleep_until(start + Duration::from_secs(11)).await;

    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        without.push(times.of(seconds, clients, "without").await?);
        let program = std::env::current_exe()?;
        let mut child =
            Command::new(program).args(["bad", address, &bad.to_string()]).stdin(Stdio::null()).spawn()?;
        sleep(SETTLE).await;
        let measured = times.of(seconds, clients, "with").await;
        let ended = child.try_wait()?;
        child.kill().and_then(|()| child.wait())?;
        with.push(measured?);
        if ended.is_some() {
            return Err("the malicious clients have ended by themselves".into());
        }
        sleep(SETTLE).await;
    }
    if let Some(task) = tasks.iter().find(|task| task.is_finished()) {
        return Err(format!("a client has ended: {task:?}").into());
    }
    let (without, with) = (middle(without), middle(with));
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!(
        "99th percentile, the middle of {rounds} rounds: {without:?} without, {with:?} with: {ratio:.2} times"
    );
    Ok(())
}

impl Times {
    /// Measures for some time, and returns the 99th percentile.
    async fn of(&self, seconds: u32, clients: u32, what: &str) -> Result<Duration> {
        self.counts.store(true, Relaxed);
        sleep(EACH * seconds).await;
        self.counts.store(false, Relaxed);
        let mut taken = std::mem::take(&mut *self.taken.lock().map_err(|_| "poisoned")?);
        taken.sort_unstable();
        let at = |part: usize| taken.get(taken.len() * part / 1000).copied().unwrap_or_default();
        println!(
            "{what:>7}: {} answers, median {:?}, 99 % {:?}, longest {:?}",
            taken.len(),
            at(500),
            at(990),
            at(999)
        );
        // Clients that wait for ever would make the others look good.
        let due = (clients * seconds) as usize;
        if taken.len() * 100 < due * 97 {
            return Err(format!("{} answers of {due}", taken.len()).into());
        }
        Ok(at(990))
    }
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

async fn ask(mut client: Client, first: Instant, times: Arc<Times>) {
    if let Err(error) = try_ask(&mut client, first, &times).await {
        eprintln!("a client: {error}");
    }
}

async fn try_ask(client: &mut Client, first: Instant, times: &Times) -> Result<()> {
    let mut due = first;
    let sql = ROWS.to_string();
    loop {
        sleep_until(due).await;
        let began = Instant::now();
        client.push(&Query { sql: sql.as_str().into() })?;
        let mut rows = 0;
        loop {
            let Some(frame) = client.next().await? else { return Err("the server has left".into()) };
            match frame.message()? {
                Message::DataRow(_) => rows += 1,
                Message::ReadyForQuery(_) => break,
                _ => {}
            }
        }
        if rows != ROWS {
            return Err(format!("{rows} rows").into());
        }
        if times.counts.load(Relaxed) {
            times.taken.lock().map_err(|_| "poisoned")?.push(began.elapsed());
        }
        due += EACH;
    }
}

pub(crate) async fn idle(address: &str, clients: &str) -> Result<()> {
    let mut all = Vec::new();
    for _ in 0..clients.parse::<usize>()? {
        all.push(log_in(address).await?);
    }
    println!("ready");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
