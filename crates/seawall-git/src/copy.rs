//! Copies layers into one plain directory, for where no overlay can be mounted.
//!
//! A file is a reflink where the file system has them (ioctl_ficlone(2)), and else a copy; modes and times are kept, so
//! that build tools find nothing changed. Nothing is followed and no device, fifo or socket is made. Costs a file
//! creation per file of the layers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::{FileStat, Mode, UtimensatFlags, fchmod, fstat, futimens, mkdirat, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{linkat, symlinkat};

use crate::dirfd::{FileKind, Root, each_name, link_target, stat};
use crate::error::{Error, Result};
use crate::marks::{is_whiteout, marks};
use crate::path::{LONGEST, join};
use crate::place::{Partial, begin};
use crate::raw::make_file;
use crate::seed::create;
use crate::store::Store;

impl Store {
    /// Opens a plain workspace at `dest`: what an overlay of the layers, the top one first, would show, and the files to
    /// create as empty ones. Whatever stood at `dest` is removed first.
    ///
    /// # Errors
    /// [`Error::UnsafePlace`] as for [`Store::lay_base`]; [`Error::AlreadyInBase`] for a file to create that exists.
    pub fn open_copy(&self, layers: &[&Path], dest: &Path, creates: &[Vec<u8>]) -> Result<()> {
        let place = self.begin(dest)?;
        merge(layers, &place)?;
        for path in creates {
            create(&place.root, path)?;
        }
        place.finish()
    }
}

/// Copies a directory, for example one of ignored files that a workspace carries. Hard links within it stay hard links;
/// devices, fifos and sockets are left out. Whatever stood at `dest` is removed first.
///
/// # Errors
/// When something cannot be read or written, or lies deeper than a path can reach.
pub fn copy_tree(from: &Path, dest: &Path) -> Result<()> {
    let place = begin(dest.to_path_buf())?;
    merge(&[from], &place)?;
    let top = Root::open(from)?;
    let stat = fstat(&top.fd).map_err(top.fail("look at", b""))?;
    let place_fail = place.root.fail("set the times of", b"");
    set_times(&place.root.fd, &stat).map_err(place_fail)?;
    place.finish()
}

/// A directory of the copy, and the layers that have it, the top one first.
struct Merged {
    path: Vec<u8>,
    layers: Vec<usize>,
}

struct Copy<'c> {
    layers: Vec<Root>,
    to: &'c Root,
    /// whether this file system has refused a reflink
    plain: bool,
    /// the first copy of each file that has several names
    links: BTreeMap<(u64, u64), Vec<u8>>,
    /// directories and their status, to be set when nothing is written in them any more
    dirs: Vec<(Vec<u8>, FileStat)>,
}

fn merge(layers: &[&Path], place: &Partial) -> Result<()> {
    let roots: Result<Vec<_>> = layers.iter().map(|layer| Root::open(layer)).collect();
    let mut copy = Copy {
        layers: roots?,
        to: &place.root,
        plain: false,
        links: BTreeMap::new(),
        dirs: Vec::new(),
    };
    let layers = (0..copy.layers.len()).collect();
    let mut pending = vec![Merged {
        path: Vec::new(),
        layers,
    }];
    while let Some(dir) = pending.pop() {
        copy.directory(&dir, &mut pending)?;
    }
    copy.settle_dirs()
}

/// Where a name of a merged directory comes from.
enum Source {
    Leaf(usize, FileStat),
    Dir(Vec<usize>, FileStat),
    Gone,
}

impl Copy<'_> {
    fn directory(&mut self, dir: &Merged, pending: &mut Vec<Merged>) -> Result<()> {
        let mut open = Vec::new();
        for &layer in &dir.layers {
            let root = &self.layers[layer];
            let fd = root.dir(&dir.path).map_err(root.fail("open", &dir.path))?;
            open.push((layer, fd));
        }
        let to = self.to.dir(&dir.path);
        let to = to.map_err(self.to.fail("open", &dir.path))?;
        for (name, source) in self.names(&dir.path, &open)? {
            let path = join(&dir.path, &name);
            if path.len() > LONGEST {
                return Err(self.to.fail("copy", &path)(Errno::ENAMETOOLONG));
            }
            match source {
                Source::Gone => {}
                Source::Leaf(layer, stat) => self.leaf(layer, &to, &name, path, &stat)?,
                Source::Dir(layers, stat) => {
                    mkdirat(&to, name.as_slice(), Mode::S_IRWXU)
                        .map_err(self.to.fail("make the directory", &path))?;
                    self.dirs.push((path.clone(), stat));
                    pending.push(Merged { path, layers });
                }
            }
        }
        Ok(())
    }

    /// The names that an overlay would show in a directory.
    fn names(&self, dir: &[u8], open: &[(usize, OwnedFd)]) -> Result<BTreeMap<Vec<u8>, Source>> {
        let mut names = BTreeMap::new();
        let mut closed = BTreeSet::new();
        for (layer, fd) in open {
            let root = &self.layers[*layer];
            let fail = |errno| root.fail("read the directory", dir)(errno);
            each_name(fd, |name| {
                let stat = stat(fd, name)?;
                self.name(*layer, dir, name, stat, &mut names, &mut closed)
            })
            .map_err(fail)?;
        }
        Ok(names)
    }

    fn name(
        &self,
        layer: usize,
        dir: &[u8],
        name: &[u8],
        stat: FileStat,
        names: &mut BTreeMap<Vec<u8>, Source>,
        closed: &mut BTreeSet<Vec<u8>>,
    ) -> nix::Result<()> {
        if closed.contains(name) {
            return Ok(());
        }
        let is_dir = FileKind::of(&stat) == FileKind::Directory;
        let opaque = || -> nix::Result<bool> {
            let fd = self.layers[layer].dir(&join(dir, name))?;
            Ok(marks(&fd)?.opaque)
        };
        // Only a directory over a directory lets the layers below show.
        if !is_dir || self.layers.len() > 1 && opaque()? {
            closed.insert(name.to_vec());
        }
        match (names.get_mut(name), is_dir) {
            (Some(Source::Dir(layers, _)), true) => layers.push(layer),
            (Some(_), _) => {}
            (None, true) => drop(names.insert(name.to_vec(), Source::Dir(vec![layer], stat))),
            (None, false) if is_whiteout(&stat) => drop(names.insert(name.to_vec(), Source::Gone)),
            (None, false) => drop(names.insert(name.to_vec(), Source::Leaf(layer, stat))),
        }
        Ok(())
    }

    fn leaf(
        &mut self,
        layer: usize,
        to: &OwnedFd,
        name: &[u8],
        path: Vec<u8>,
        stat: &FileStat,
    ) -> Result<()> {
        match FileKind::of(stat) {
            FileKind::Symlink => {
                let from = &self.layers[layer];
                let dir = from.above(&path);
                let target = dir.and_then(|dir| link_target(&dir, name));
                let target = target.map_err(from.fail("read the link", &path))?;
                symlinkat(target.as_slice(), to, name)
                    .and_then(|()| {
                        let (read, changed) = times(stat);
                        utimensat(to, name, &read, &changed, UtimensatFlags::NoFollowSymlink)
                    })
                    .map_err(self.to.fail("make the link", &path))
            }
            FileKind::File => self.file(layer, to, name, path, stat),
            _ => Ok(()),
        }
    }

    fn file(
        &mut self,
        layer: usize,
        to: &OwnedFd,
        name: &[u8],
        path: Vec<u8>,
        stat: &FileStat,
    ) -> Result<()> {
        let id = (stat.st_dev, stat.st_ino);
        if stat.st_nlink > 1 {
            if let Some(first) = self.links.get(&id) {
                return linkat(&self.to.fd, first.as_slice(), to, name, AtFlags::empty())
                    .map_err(self.to.fail("link", &path));
            }
            self.links.insert(id, path.clone());
        }
        let from = &self.layers[layer];
        let (source, stat) = from.file(&path).map_err(from.fail("open", &path))?;
        let mut copy = make_file(self.to, to, name, &path, 0o600, false)?;
        let failed = |source| Error::Io {
            doing: "copy",
            path: from.path(&path),
            source,
        };
        if self.plain || !reflinked(&source, &copy).map_err(failed)? {
            self.plain = true;
            io::copy(&mut &source, &mut copy).map_err(failed)?;
        }
        set_times(&copy, &stat).map_err(self.to.fail("set the times of", &path))
    }

    /// Gives the directories their modes and times, the deepest first.
    fn settle_dirs(self) -> Result<()> {
        for (path, stat) in self.dirs.iter().rev() {
            let fail = |errno| self.to.fail("set the times of", path)(errno);
            let fd = self.to.dir(path).map_err(fail)?;
            set_times(&fd, stat).map_err(fail)?;
        }
        Ok(())
    }
}

/// Gives an open copy the times and permissions of what it is a copy of.
fn set_times(copy: impl AsFd, stat: &FileStat) -> nix::Result<()> {
    let (read, changed) = times(stat);
    futimens(&copy, &read, &changed)?;
    fchmod(&copy, permissions(stat))
}

/// Shares the content of a file with its copy; false where the file system cannot.
fn reflinked(from: &File, to: &File) -> io::Result<bool> {
    use rustix::io::Errno;
    match rustix::fs::ioctl_ficlone(to, from) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::XDEV | Errno::INVAL | Errno::NOTTY | Errno::NOSYS) => {
            Ok(false)
        }
        Err(errno) => Err(errno.into()),
    }
}

fn permissions(stat: &FileStat) -> Mode {
    Mode::from_bits_truncate(stat.st_mode & 0o777)
}

fn times(stat: &FileStat) -> (TimeSpec, TimeSpec) {
    (
        TimeSpec::new(stat.st_atime, stat.st_atime_nsec),
        TimeSpec::new(stat.st_mtime, stat.st_mtime_nsec),
    )
}
