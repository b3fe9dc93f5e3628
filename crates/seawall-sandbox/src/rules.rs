//! The rules of the Landlock wall: which files and directories a worker may read or write, opened in the final mount namespace.
//!
//! The library declares the ruleset and puts it in force. The rules are added here, by the same descriptor, because the library
//! looks at each file again, to leave out the rights that only a directory can have; with eighty rules that is as dear as the
//! rules. Here the kernel is asked, which refuses such a rule, and then the rule is made for a file.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use landlock::{ABI, Access, AccessFs, BitFlags, RulesetCreated};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::libc;
use nix::sys::stat::{Mode, SFlag, fstat};

use crate::launch::Grant;
use crate::pieces::is_below;
use crate::wall::Site;
use crate::wire::Raw;
use crate::worker::{Failure, at};
use crate::{grants, sys};

/// The system's programs and libraries, granted whole.
const PROGRAMS: &str = "/usr";

/// Another descriptor of a ruleset, by which it takes rules.
pub(crate) struct Rules(OwnedFd);

impl Rules {
    pub(crate) fn of(ruleset: &RulesetCreated) -> Result<Self, Failure> {
        let step = "declare the Landlock wall";
        let same = at(step, ruleset.try_clone())?;
        // There is none where the library found no Landlock, and then there is no worker.
        let same = Option::<OwnedFd>::from(same).ok_or("the kernel made no ruleset");
        at(step, same).map(Self)
    }

    /// All rules of a launch; `devices` is what this kernel can say about devices.
    pub(crate) fn fill(
        &self,
        site: Site<'_>,
        workspace: &OwnedFd,
        devices: BitFlags<AccessFs>,
    ) -> Result<(), Failure> {
        self.grant_system(site)?;
        self.grant_devices(site, devices)?;
        for path in &site.launch.read {
            // Below the place of the workspace there is only the workspace now, which is granted by itself.
            self.grant_if_there(path.as_path(), readable())?;
        }
        let view = site.view;
        for private in [&view.home, &view.tmp].into_iter().chain(&view.scratch) {
            self.grant(private, writable())?;
        }
        self.grant_work(site, workspace)
    }

    fn grant_system(&self, site: Site<'_>) -> Result<(), Failure> {
        let sees_mounts = site.rung.has(libc::CLONE_NEWNS);
        for path in site.launch.system.iter().map(Raw::as_path) {
            // A view shows nothing below it that is not its own, so one rule is as good as many.
            let covered = sees_mounts && is_below(path, PROGRAMS) && path != Path::new(PROGRAMS);
            if !covered {
                self.grant_if_there(path, readable())?;
            }
        }
        Ok(())
    }

    fn grant_devices(&self, site: Site<'_>, devices: BitFlags<AccessFs>) -> Result<(), Failure> {
        let both = AccessFs::ReadFile | AccessFs::WriteFile | devices;
        for device in grants::DEVICES_WRITTEN {
            self.grant_if_there(Path::new(device), both)?;
        }
        if site.launch.opens.terminals {
            for terminals in ["/dev/pts", "/dev/ptmx"] {
                self.grant_if_there(Path::new(terminals), both | AccessFs::ReadDir)?;
            }
        }
        Ok(())
    }

    fn grant_work(&self, site: Site<'_>, workspace: &OwnedFd) -> Result<(), Failure> {
        let seen = &site.view.workspace;
        for carried in &site.launch.carry {
            self.grant(&seen.join(carried.at.as_path()), writable())?;
        }
        match &site.launch.write {
            Grant::Workspace => return self.grant(seen, writable()),
            Grant::Nothing => {}
            Grant::Files(files) => {
                for file in files {
                    self.grant_file(workspace, file.as_path())?;
                }
            }
            Grant::Paths(paths) => {
                for path in paths {
                    self.grant(path.as_path(), writable())?;
                }
            }
        }
        self.grant(seen, readable())
    }

    /// One owned file: it must be a plain file with one name, or writing it would write something else. A directory is granted
    /// with all below it.
    fn grant_file(&self, workspace: &OwnedFd, path: &Path) -> Result<(), Failure> {
        let step = format!("open the owned file `{}`", path.display());
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        let file = at(&step, openat2(workspace, path, how))?;
        let found = at(&step, fstat(&file))?;
        let kind = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFDIR {
            return at(step, self.add(&file, writable()));
        }
        let plain = kind == SFlag::S_IFREG;
        at(&step, plain.then_some(()).ok_or("it is not a regular file"))?;
        let alone = found.st_nlink == 1;
        let several = "it has several names (hard links)";
        at(&step, alone.then_some(()).ok_or(several))?;
        let write = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
        at(step, self.add(&file, write))
    }

    fn grant(&self, path: &Path, access: BitFlags<AccessFs>) -> Result<(), Failure> {
        let opened = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty());
        let file = opened.map_err(|error| failed(path, &error))?;
        self.add_fitting(&file, path, access)
    }

    fn grant_if_there(&self, path: &Path, access: BitFlags<AccessFs>) -> Result<(), Failure> {
        match open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()) {
            Ok(file) => self.add_fitting(&file, path, access),
            // What cannot be reached cannot be read either: no grant is the safe side.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ELOOP) => Ok(()),
            Err(error) => Err(failed(path, &error)),
        }
    }

    /// Of a file, only the rights that a file can have: the kernel knows which it is.
    fn add_fitting(
        &self,
        file: &OwnedFd,
        path: &Path,
        access: BitFlags<AccessFs>,
    ) -> Result<(), Failure> {
        let of_file = access & AccessFs::from_file(ABI::V5);
        let added = match self.add(file, access) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) && of_file != access => {
                self.add(file, of_file)
            }
            added => added,
        };
        added.map_err(|error| failed(path, &error))
    }

    fn add(&self, file: &OwnedFd, access: BitFlags<AccessFs>) -> io::Result<()> {
        sys::add_path_rule(self.0.as_fd(), access.bits(), file.as_fd())
    }
}

fn readable() -> BitFlags<AccessFs> {
    AccessFs::from_read(ABI::V3)
}

fn writable() -> BitFlags<AccessFs> {
    AccessFs::from_all(ABI::V3)
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure {
        step: format!("open `{}` for the Landlock wall", path.display()),
        error: error.to_string(),
    }
}
