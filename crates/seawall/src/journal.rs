//! The journal behind the loop's door: events with the time of this host.

use std::time::{SystemTime, UNIX_EPOCH};

use seawall_core::drive;
use seawall_core::event::Event;
use seawall_journal::{Journal, JournalError};

/// A run's journal.
#[derive(Debug)]
pub(crate) struct EventLog(pub(crate) Journal);

impl drive::Journal for EventLog {
    type Error = JournalError;

    fn append(&mut self, event: &Event) -> Result<(), JournalError> {
        self.0.append(now_ms(), event)
    }

    fn sync(&mut self) -> Result<(), JournalError> {
        self.0.sync()
    }

    fn head(&self) -> String {
        self.0.head().to_owned()
    }
}

/// Milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
