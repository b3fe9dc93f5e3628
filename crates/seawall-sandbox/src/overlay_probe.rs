//! Whether overlays can be mounted over a directory: tried for real, in the namespaces that a worker would get.
//!
//! A kernel may have overlays and still refuse them to ordinary users; a file system may lack extended attributes, or be an
//! overlay itself, as in many containers. What is tried is what a workspace needs: reading, copying up, deleting, replacing
//! a deleted directory (which needs an extended attribute), renaming; with what is written kept and in memory.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::unistd::mkdtemp;

use crate::compose::open_up;
use crate::launch::{Layered, Reply, Request, Top};
use crate::overlay::{self, distinct};
use crate::spawn::start_launcher;
use crate::view::{self, Step, step};
use crate::wire::{self, Raw};

/// Whether overlays can be mounted over directories like this one (its file system), by a worker of this user; the reason if
/// not. Both kinds of [`crate::Upper`] must work. Takes some milliseconds; makes a directory in `dir` and removes it.
///
/// # Errors
/// In words: what was tried, and what the system said.
pub fn overlays(dir: &Path) -> Result<(), String> {
    let said = |error: io::Error| format!("cannot try an overlay in `{}`: {error}", dir.display());
    let real = fs::canonicalize(dir).map_err(said)?;
    let scene = Scene::lay_out(&real).map_err(said)?;
    let tried = ask(&scene.0);
    let removed = scene.clear();
    let tried = tried.map_err(said)?;
    removed.map_err(said)?;
    let mut refused = Vec::new();
    for (rung, why) in tried {
        match why {
            None => return Ok(()),
            Some(why) => refused.push(format!("{rung}: {why}")),
        }
    }
    Err(distinct(&refused).join("; "))
}

/// A worker gets the first set of namespaces that can be had; what the others would give does not matter.
pub(crate) fn up_to_the_best(
    tried: impl Iterator<Item = (String, Option<String>)>,
) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    for one in tried {
        let had = one.1.is_none();
        found.push(one);
        if had {
            break;
        }
    }
    found
}

/// What the launcher found, for each set of namespaces.
fn ask(scene: &Path) -> io::Result<Vec<(String, Option<String>)>> {
    let (mut control, mut launcher) = start_launcher()?;
    wire::post(&control, &Request::ProbeOverlays(Raw::path(scene)), &[])?;
    let reply = wire::fetch(&mut control)?;
    launcher.wait()?;
    match reply {
        Some((Reply::Probed(tried), _)) => Ok(tried),
        _ => Err(io::Error::other("the launcher did not answer")),
    }
}

/// A directory with a layer, and a place to mount at.
struct Scene(PathBuf);

impl Scene {
    fn lay_out(dir: &Path) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!(".seawall-overlay-{}-{number}", std::process::id());
        let scene = Self(dir.join(name));
        fs::create_dir(&scene.0)?;
        match scene.furnish() {
            Ok(()) => Ok(scene),
            Err(error) => {
                scene.clear()?;
                Err(error)
            }
        }
    }

    fn furnish(&self) -> io::Result<()> {
        for directory in ["layer/directory", "at"] {
            fs::create_dir_all(self.0.join(directory))?;
        }
        ["layer/file", "layer/gone", "layer/directory/inside"]
            .iter()
            .try_for_each(|file| fs::write(self.0.join(file), "layer"))
    }

    fn clear(self) -> io::Result<()> {
        for upper in uppers(&self.0)? {
            open_up(&upper.join("work"))?;
        }
        fs::remove_dir_all(&self.0)
    }
}

/// Each set of namespaces had one of its own.
fn uppers(scene: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: Vec<_> = fs::read_dir(scene)?.collect::<io::Result<_>>()?;
    let named = |path: &PathBuf| path.join("work").is_dir();
    Ok(entries
        .iter()
        .map(fs::DirEntry::path)
        .filter(named)
        .collect())
}

/// The acts, in the keeper of a set of namespaces.
pub(crate) fn rehearse(scene: &Path) -> Result<(), String> {
    let acts = || {
        step("make the mounts private", view::detach())?;
        let kept = mkdtemp(&scene.join("upper-XXXXXX")).map_err(io::Error::from);
        let kept = step("make an upper", kept)?;
        for part in ["upper", "work"] {
            step("make an upper", fs::create_dir(kept.join(part)))?;
        }
        for top in [Top::Kept(Raw::path(&kept)), Top::Memory(1 << 20)] {
            act(scene, top)?;
        }
        step(
            "find a whiteout in the upper",
            is_whiteout(&kept.join("upper/gone")),
        )
    };
    acts().map_err(|(what, error): (String, io::Error)| format!("cannot {what}: {error}"))?;
    view::rehearse()
}

fn act(scene: &Path, top: Top) -> Step<()> {
    let place = scene.join("at");
    let kind = top.kind();
    let layered = Layered {
        layers: vec![Raw::path(&scene.join("layer"))],
        upper: top,
    };
    overlay::mount_layers(&layered, &place)?;
    let here = |what: &str| format!("{what} in an overlay that writes to {kind}");
    let [file, gone, directory] = ["file", "gone", "directory"].map(|name| place.join(name));
    step(here("write a file"), fs::write(&file, "written"))?;
    step(
        here("rename a file"),
        fs::rename(&file, place.join("renamed")),
    )?;
    step(here("delete a file"), fs::remove_file(&gone))?;
    step(here("delete a directory"), fs::remove_dir_all(&directory))?;
    step(here("replace a directory"), fs::create_dir(&directory))?;
    let inside = step(here("list a directory"), fs::read_dir(&directory))?;
    let hidden = match inside.count() {
        0 => Ok(()),
        _ => Err(io::Error::other("it is still there")),
    };
    step(here("hide what a directory replaced"), hidden)?;
    step(
        here("leave a layer as it was"),
        is_layer(&scene.join("layer/file")),
    )
}

fn is_layer(file: &Path) -> io::Result<()> {
    if fs::read(file)? == b"layer" {
        Ok(())
    } else {
        Err(io::Error::other("it was written"))
    }
}

fn is_whiteout(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.file_type().is_char_device() && found.rdev() == 0 {
        Ok(())
    } else {
        Err(io::Error::other("something else is there"))
    }
}
