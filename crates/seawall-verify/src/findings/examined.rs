//! A change of what judges the change: runner configuration, scripts of checks, and tests beside the code that they test.
//!
//! A task that owns only tests is there to change them, so nothing is said of it here; what it takes out of them is another
//! rule's matter. Nothing is held: what the evidence is worth then is for its grade to say.

use seawall_core::finding::Severity;

use super::look::{Found, Look};
use crate::judges::{is_test, judges_file, judges_part_changed, of_runner};
use crate::places::Parts;

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    let product = look.files.iter().any(|file| {
        let parts = Parts::of(file.path);
        judges_file(file.path, &look.commands).is_none() && !is_test(&parts)
    });
    for file in &look.files {
        if judges_part_changed(file.path, file.before, file.after) {
            let text = "its part that test runners and build tools obey changed";
            found.file(Severity::Note, file.path, text);
            continue;
        }
        // What every program obeys is told as that.
        let told = super::executed::why(file).is_some();
        let Some(why) = judges_file(file.path, &look.commands).filter(|_| !told) else {
            continue;
        };
        let parts = Parts::of(file.path);
        let test = is_test(&parts) && of_runner(&parts).is_none();
        // A new test takes nothing from what there was.
        if !test || (product && file.before.is_some()) {
            found.file(
                Severity::Note,
                file.path,
                format!("the judge's own file changed: {why}"),
            );
        }
    }
}
