//! Deletes a file in an overlay that is not mounted, as a worker with the right to do so would have.

use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::dirfd::{FileKind, Root, stat};
use crate::error::Result;
use crate::marks::{is_whiteout, make_whiteout};
use crate::path::{self, ancestors, name_of};
use crate::raw::make_dir;

const OPEN_ABOVE: &str = "open the directory of";

/// Makes the file at `path` absent from the workspace whose upper directory this is. What the worker has put there or above
/// it instead (a directory, a link, nothing at all) stays as it is: the harvest says what that means. Costs the depth of the path.
///
/// # Errors
/// What the system says, but for what a worker could bring about.
pub fn white_out(upper: &Path, path: &[u8]) -> Result<()> {
    path::check(path)?;
    let root = Root::open(upper)?;
    let mut dirs: Vec<_> = ancestors(path).collect();
    dirs.reverse();
    for dir in dirs {
        if !is_or_becomes_directory(&root, dir)? {
            return Ok(());
        }
    }
    let above = root.above(path).map_err(root.fail(OPEN_ABOVE, path))?;
    let name = name_of(path);
    match stat(&above, name) {
        Ok(found) if FileKind::of(&found) == FileKind::File => {
            unlinkat(&above, name, UnlinkatFlags::NoRemoveDir)
                .map_err(root.fail("remove", path))?;
        }
        Ok(_) => return Ok(()),
        Err(Errno::ENOENT) => {}
        Err(errno) => return Err(root.fail("look at", path)(errno)),
    }
    make_whiteout(&above, name).map_err(root.fail("make a whiteout at", path))
}

/// A directory that is not in the upper one shows what the layers have there.
fn is_or_becomes_directory(root: &Root, dir: &[u8]) -> Result<bool> {
    let above = root.above(dir).map_err(root.fail(OPEN_ABOVE, dir))?;
    match stat(&above, name_of(dir)) {
        Ok(found) => Ok(FileKind::of(&found) == FileKind::Directory && !is_whiteout(&found)),
        Err(Errno::ENOENT) => make_dir(root, &above, name_of(dir), dir).map(|()| true),
        Err(errno) => Err(root.fail("look at", dir)(errno)),
    }
}
