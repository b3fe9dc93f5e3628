//! The sets of namespaces that a launch is tried with, best first.

use nix::libc;
use nix::unistd::getuid;

/// One set of namespaces to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rung {
    /// How the set is called in messages.
    pub(crate) name: &'static str,
    /// `CLONE_NEW*` flags.
    pub(crate) flags: i32,
}

const BASE: i32 = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;

const RUNGS: [Rung; 5] = [
    Rung {
        name: "mount, pid, ipc, uts and net namespaces",
        flags: BASE | libc::CLONE_NEWNET,
    },
    Rung {
        name: "mount, pid, ipc and uts namespaces",
        flags: BASE,
    },
    Rung {
        name: "user, mount, pid, ipc, uts and net namespaces",
        flags: libc::CLONE_NEWUSER | BASE | libc::CLONE_NEWNET,
    },
    Rung {
        name: "user, mount, pid, ipc and uts namespaces",
        flags: libc::CLONE_NEWUSER | BASE,
    },
    Rung {
        name: "no namespaces",
        flags: 0,
    },
];

impl Rung {
    pub(crate) fn has(self, flag: i32) -> bool {
        self.flags & flag != 0
    }

    /// The same set without some of the namespaces.
    pub(crate) fn without(self, flag: i32) -> Self {
        Self {
            flags: self.flags & !flag,
            ..self
        }
    }

    /// The sets worth trying: only root has a chance without a user namespace.
    pub(crate) fn ladder(namespaces: bool) -> impl Iterator<Item = Self> {
        let root = getuid().is_root();
        RUNGS.into_iter().filter(move |rung| match rung.flags {
            0 => true,
            _ if !namespaces => false,
            flags => root || flags & libc::CLONE_NEWUSER != 0,
        })
    }
}
