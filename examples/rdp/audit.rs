//! The log of who did what.

use feedrate::rdp::frame::{Cause, ReadAudit, Record, ReleaseAudit};
use feedrate_rdp::audit::crc_of;

use crate::failure::{Failure, Refusable};
use crate::show;
use crate::tool::Tool;

impl Tool {
    /// Shows the log. With `release` what was shown may be overwritten from then on: the CRC of the last record that
    /// is no refusal proves that it was read (SPEC section 8.8).
    pub(crate) fn audit(&mut self, mut from: u32, release: bool) -> Result<(), Failure> {
        let session = self.client.device()?.session;
        show::say(show::AUDIT);
        let (mut last, mut proof): (Option<Record>, Option<Record>) = (None, None);
        let mut lost = 0;
        loop {
            let read = ReadAudit { from, count: u8::MAX };
            let (next, records) = self
                .client
                .ask(&read, |audit| {
                    lost = audit.lost;
                    (audit.next, audit.records.collect::<Vec<_>>())
                })?
                .of("audit")?;
            for record in &records {
                show::say(&show::record(record, session, &self.names));
            }
            last = records.last().copied().or(last);
            let done = records.iter().rev().find(|record| record.cause != Cause::Refused);
            proof = done.copied().or(proof);
            match records.last() {
                Some(record) => from = record.index.saturating_add(1),
                None if from < next => from = next,
                None => break,
            }
        }
        if lost > 0 {
            show::say(&format!("{lost} records were lost since the boot"));
        }
        if let (true, Some(last), Some(proof)) = (release, last, proof) {
            let release = ReleaseAudit { upto: last.index.saturating_add(1), crc: crc_of(&proof) };
            self.client.ask(&release, |_| ())?.of("audit --release")?;
            show::say(&format!("what is below {} may be overwritten", release.upto));
        }
        Ok(())
    }
}
