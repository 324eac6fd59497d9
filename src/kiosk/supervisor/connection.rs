//! The connection to a demo that has introduced itself: reads its records within its limits, writes its commands.
//!
//! Neither direction waits for the other.

use std::time::Instant;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    select,
};
use wire::{WireError, demo::Hello, kiosk::Command};

use super::{
    channel::Introduced,
    outbox::Outbox,
    rate::{Flood, Rate},
    records::{Assembler, Record},
    status::Fault,
};

/// A demo that has introduced itself.
pub struct Connection {
    /// What waits to be sent to it.
    pub outbox: Outbox,
    read: Box<dyn AsyncRead + Send + Unpin>,
    write: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    records: Assembler,
    rate: Rate,
}

/// What came from a demo.
#[derive(Debug)]
pub enum Received {
    /// A record.
    Record(Record),
    /// The end of its stream; what is missing, if it came in the middle of a record.
    Closed(Option<WireError>),
    /// Something that it must not send.
    Broken(Fault),
}

impl Connection {
    /// Sets aside the memory for the pictures that the hello announces.
    pub fn new(introduced: Introduced) -> (Hello, Self) {
        let Introduced { hello, read, write } = introduced;
        let records = Assembler::new(&hello);
        let (outbox, rate) = (Outbox::default(), Rate::default());
        (hello, Self { outbox, read, write: Some(write), records, rate })
    }

    /// The pixels of the newest frame.
    pub fn pixels(&self) -> &[u8] {
        self.records.pixels()
    }

    /// Asks for the state; [`Record::State`] comes.
    pub fn save(&mut self) {
        self.records.want_state();
        self.outbox.send(Command::Save);
    }

    /// The next thing that came; meanwhile writes what waits. May be dropped and called again without loss.
    pub async fn next(&mut self) -> Received {
        loop {
            let Self { outbox, read, write, records, rate } = self;
            let waiting = outbox.bytes();
            select! {
                count = read.read(records.space()) => {
                    // A connection that breaks has ended; why, its process tells.
                    let count = count.unwrap_or(0);
                    if count == 0 {
                        return Received::Closed(records.cut());
                    }
                    match take(records, rate, count) {
                        Ok(Some(record)) => return Received::Record(record),
                        Ok(None) => {}
                        Err(fault) => return Received::Broken(fault),
                    }
                }
                Some(written) = write_some(write, waiting), if !waiting.is_empty() => match written {
                    0 => *write = None,
                    count => outbox.wrote(count),
                },
            }
        }
    }
}

/// Bytes written, 0 if nobody listens any more; `None` at once if that is known.
async fn write_some(
    write: &mut Option<Box<dyn AsyncWrite + Send + Unpin>>,
    bytes: &[u8],
) -> Option<usize> {
    Some(write.as_mut()?.write(bytes).await.unwrap_or(0))
}

fn take(records: &mut Assembler, rate: &mut Rate, count: usize) -> Result<Option<Record>, Fault> {
    let now = Instant::now();
    rate.bytes(count, now)?;
    let record = records.advance(count)?;
    match &record {
        Some(Record::Frame(_)) => rate.frame(now)?,
        Some(_) => rate.record(now)?,
        None => {}
    }
    Ok(record)
}

impl From<Flood> for Fault {
    fn from(Flood(limit): Flood) -> Self {
        Fault::Flood { limit }
    }
}
