//! Which start of the machine this is: what was not synchronised to the disk is believed only within one.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::{ExecuteError, at};
use crate::place::{Place, sweep};

/// Another one for each start of the machine (random(4)).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The id of this start.
pub(crate) fn boot() -> io::Result<String> {
    fs::read_to_string(BOOT_ID)
}

impl Place {
    /// The id of the start that the run's last session was in; an error where none was noted.
    pub(crate) fn boot(&self) -> io::Result<String> {
        fs::read_to_string(self.root().join("boot"))
    }

    /// Notes which start of the machine this is; whether a session before this one was in another. Layers are not synchronised
    /// to the disk, so those of another are removed, to be laid again.
    ///
    /// # Errors
    /// What the system says.
    pub fn note_boot(&self) -> Result<bool, ExecuteError> {
        let kept = self.root().join("boot");
        let id = boot().map_err(at("read", Path::new(BOOT_ID)))?;
        let before = match self.boot() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => id.clone(),
            read => read.map_err(at("read", &kept))?,
        };
        let rebooted = before != id;
        if rebooted {
            sweep(&self.layers())?;
        }
        fs::write(&kept, id).map_err(at("write", &kept))?;
        Ok(rebooted)
    }
}
