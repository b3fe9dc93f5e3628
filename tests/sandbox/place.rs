//! Copies of the program and of the attacks that every user can reach, made once a run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The program under test, where every user can run it.
pub(crate) fn seawall() -> PathBuf {
    copies().join("seawall")
}

/// The directory of the attacks.
pub(crate) fn attacks() -> PathBuf {
    copies().join("attacks")
}

fn copies() -> &'static Path {
    static COPIES: OnceLock<PathBuf> = OnceLock::new();
    COPIES.get_or_init(|| {
        let at = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let at = reachable(&at).unwrap_or_else(|| "/var/tmp".into());
        remove_old(&at);
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(PermissionsExt::from_mode(0o755))
            .tempdir_in(at)
            .unwrap()
            .keep();
        fill(&directory);
        directory
    })
}

const PREFIX: &str = "seawall-under-test-";

/// Removes the copies of earlier runs, which no run can do itself at its end: tests have no end in common.
fn remove_old(at: &Path) {
    let hour = std::time::Duration::from_secs(3600);
    for entry in fs::read_dir(at).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let made = entry.metadata().and_then(|found| found.modified());
        if ours && made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > hour)) {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
}

/// The path itself when everybody may walk to it.
fn reachable(path: &Path) -> Option<PathBuf> {
    let open = |above: &Path| {
        fs::metadata(above).is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
    };
    path.ancestors().all(open).then(|| path.to_owned())
}

fn fill(directory: &Path) {
    fs::copy(env!("CARGO_BIN_EXE_seawall"), directory.join("seawall")).unwrap();
    let attacks = directory.join("attacks");
    fs::create_dir(&attacks).unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/sandbox/attacks");
    for entry in fs::read_dir(source).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "py") {
            fs::copy(&path, attacks.join(entry.file_name())).unwrap();
            let open = PermissionsExt::from_mode(0o644);
            fs::set_permissions(attacks.join(entry.file_name()), open).unwrap();
        }
    }
    fs::set_permissions(&attacks, PermissionsExt::from_mode(0o755)).unwrap();
}
