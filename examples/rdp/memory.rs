//! What is done to memory: reading, watching, writing, forcing.

use std::time::Instant;

use feedrate::rdp::frame::{Bytes, Force, ReadMemory, Release, Renew, WriteMemory};

use crate::command::Command;
use crate::failure::{Failure, Refusable};
use crate::names::{Place, Spot, Value, assigned};
use crate::show;
use crate::tool::Tool;

impl Tool {
    /// Whether the values of a command fit what is there.
    pub(crate) fn check_values(&mut self, command: &Command) -> Result<(), Failure> {
        let (place, values) = match command {
            Command::Force { place, value, safe, .. } => (place, [Some(value), safe.as_ref()]),
            Command::Write { place, value } => (place, [Some(value), None]),
            _ => return Ok(()),
        };
        let spot = self.spot(place)?;
        for value in values.into_iter().flatten() {
            value.bytes(spot.variable.as_ref()).map_err(Failure::Usage)?;
        }
        Ok(())
    }

    pub(crate) fn read(&mut self, place: &Place, length: Option<usize>) -> Result<(), Failure> {
        let spot = self.spot(place)?;
        let wanted = length_of(place, &spot, length)?;
        let bytes = self.bytes(spot.addr, wanted)?;
        match spot.variable.filter(|_| length.is_none()) {
            Some(variable) => show::say(&assigned(&variable, &bytes)),
            None => show::say(&show::dump(spot.addr, &bytes)),
        }
        if bytes.len() < wanted {
            show::say("the rest is not mapped");
        }
        Ok(())
    }

    /// Reads memory in as many pieces as it takes.
    fn bytes(&mut self, addr: u64, length: usize) -> Result<Vec<u8>, Failure> {
        let most = usize::from(self.client.device()?.memory.max(1));
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let piece = (length - bytes.len()).min(most);
            let Some(addr) = addr.checked_add(bytes.len() as u64) else { break };
            let read = ReadMemory { addr, length: piece as u16 };
            match self.client.ask(&read, |memory| memory.data.as_slice().to_vec())? {
                Ok(data) => {
                    let short = data.len() < piece;
                    bytes.extend(data);
                    if short {
                        break;
                    }
                }
                // The end of what is mapped.
                Err(_) if !bytes.is_empty() => break,
                refused => drop(refused.of("read")?),
            }
        }
        Ok(bytes)
    }

    pub(crate) fn watch(
        &mut self,
        place: &Place,
        length: Option<usize>,
        count: Option<u32>,
        every: u32,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        let spot = self.spot(place)?;
        let variable = spot.variable.as_ref().filter(|_| length.is_none());
        let length = length.or(spot.length).unwrap_or(4);
        let mut last = None;
        let mut readings = 0;
        loop {
            let bytes = self.bytes(spot.addr, length)?;
            if last.as_ref() != Some(&bytes) {
                let seconds = began.elapsed().as_secs_f64();
                let value = match variable {
                    Some(variable) => assigned(variable, &bytes),
                    None => format!("{}  {}", self.names.show(spot.addr), show::value(&bytes)),
                };
                show::say(&format!("{seconds:9.3} s  {value}"));
                last = Some(bytes);
            }
            readings += 1;
            if count.is_some_and(|count| readings >= count) {
                return Ok(());
            }
            self.client.wait(every)?;
        }
    }

    pub(crate) fn write(&mut self, place: &Place, value: &Value) -> Result<(), Failure> {
        let spot = self.spot(place)?;
        let data = value.bytes(spot.variable.as_ref()).map_err(Failure::Usage)?;
        let fingerprint = self.client.device()?.fingerprint;
        let write = WriteMemory { addr: spot.addr, fingerprint, data: Bytes::new(&data) };
        self.client.ask(&write, |_| ())?.of("write")
    }

    pub(crate) fn force(
        &mut self,
        place: &Place,
        value: &Value,
        safe: Option<&Value>,
        lease: u32,
    ) -> Result<(), Failure> {
        let spot = self.spot(place)?;
        let variable = spot.variable.as_ref();
        let value = value.bytes(variable).map_err(Failure::Usage)?;
        let safe = safe.map(|safe| safe.bytes(variable)).transpose().map_err(Failure::Usage)?;
        let fingerprint = self.client.device()?.fingerprint;
        let (value, safe) = (Bytes::new(&value), Bytes::new(safe.as_deref().unwrap_or_default()));
        let force = Force { addr: spot.addr, lease, fingerprint, value, safe };
        self.client.ask(&force, |_| ())?.of("force")
    }

    pub(crate) fn renew(&mut self, place: &Place, lease: u32) -> Result<(), Failure> {
        let (addr, fingerprint) = (self.spot(place)?.addr, self.client.device()?.fingerprint);
        self.client.ask(&Renew { addr, lease, fingerprint }, |_| ())?.of("renew")
    }

    pub(crate) fn release(&mut self, place: &Place) -> Result<(), Failure> {
        let (addr, fingerprint) = (self.spot(place)?.addr, self.client.device()?.fingerprint);
        self.client.ask(&Release { addr, fingerprint }, |_| ())?.of("release")
    }
}

fn length_of(place: &Place, spot: &Spot, length: Option<usize>) -> Result<usize, Failure> {
    let length = length.or(spot.length);
    length.ok_or_else(|| Failure::Usage(format!("read {place}: LENGTH is missing: it is not known")))
}
