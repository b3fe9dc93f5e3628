//! The system calls that no worker needs and many escapes begin with: a seccomp filter, loaded last.
//!
//! A deny list, because the tools of a worker are anybody's, and an allow list breaks with the next libc. The filter is a
//! search tree over the call numbers: the kernel walks it once for each number when it is loaded, to learn which calls are
//! always allowed, and a list of the same length would take ten times as long. Calls of another architecture end the process,
//! and those of the x32 interface are unknown.
//!
//! `clone3` and `openat2` are unknown too, because their flags lie behind a pointer; libraries then use the older calls.

use std::ops::RangeInclusive;

use nix::libc::{self, c_long, sock_filter};

use crate::instructions::{end, jump, load, mask, refuse, skip, when};

/// What a launch leaves open beyond the deny list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    /// IPv4 and IPv6 sockets: there is a net namespace.
    pub(crate) internet: bool,
    /// Sockets that can connect to a path: there is a mount namespace, or Landlock resolves them (ABI 9).
    pub(crate) local: bool,
    /// System V queues, semaphores and memory: there is an ipc namespace.
    pub(crate) ipc: bool,
    /// Changes of mode, owner, times and attributes: the mounts forbid those that matter.
    pub(crate) metadata: bool,
    /// Namespaces and mounts: the profile brings its own sandbox.
    pub(crate) nesting: bool,
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const ARCHITECTURE: u32 = 0xc000_00f3;

/// The first number of the x32 interface (`__X32_SYSCALL_BIT`); nothing else has numbers from here on.
const X32: u32 = 0x4000_0000;

/// Offsets in `struct seccomp_data` (`seccomp(2)`); of an argument, the low half.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENT: [u32; 4] = [16, 24, 32, 40];

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

/// Every namespace that `clone` can make; the bit of the time namespace is part of the signal number there.
const CLONE_NEW: u32 = 0x7e02_0000;
const CLONE_NEWTIME: u32 = 0x80;

/// Numbers that are the same on every architecture and that the library does not know yet.
const FCHMODAT2: c_long = 452;
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;
const OPEN_TREE_ATTR: c_long = 467;
const FILE_SETATTR: c_long = 469;

/// `FS_IOC_SETFLAGS`, `FS_IOC32_SETFLAGS` and `FS_IOC_FSSETXATTR` (`ioctl_iflags(2)`).
const CHANGES_ATTRIBUTES: [u32; 3] = [0x4008_6602, 0x4004_6602, 0x401c_5820];

/// Refused always.
const NEVER: &[c_long] = &[
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
];

#[cfg(target_arch = "x86_64")]
const NEVER_HERE: &[c_long] = &[
    libc::SYS_kexec_file_load,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_uselib,
];
#[cfg(not(target_arch = "x86_64"))]
const NEVER_HERE: &[c_long] = &[];

/// Refused unless the profile is for a tool that brings its own sandbox.
const MOUNTING: &[c_long] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    OPEN_TREE_ATTR,
    libc::SYS_setns,
];

/// Refused where neither a mount nor Landlock stands before the metadata of other people's files.
const METADATA: &[c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
    libc::SYS_utimensat,
    FILE_SETATTR,
];

#[cfg(target_arch = "x86_64")]
const METADATA_HERE: &[c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
const METADATA_HERE: &[c_long] = &[];

/// Refused without an ipc namespace: they belong to a user, not to a directory.
const SYSTEM_V: &[c_long] = &[
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semctl,
    libc::SYS_semtimedop,
];

/// Set-user-id and set-group-id: a file of the host with these and a worker's bytes would outlive the sandbox.
const SET_ID: u32 = 0o6000;

/// Calls with a mode, and the number of the argument that is one.
const WITH_MODE: &[(c_long, usize)] = &[
    (libc::SYS_fchmod, 1),
    (libc::SYS_fchmodat, 2),
    (FCHMODAT2, 2),
    (libc::SYS_mknodat, 2),
];
#[cfg(target_arch = "x86_64")]
const WITH_MODE_HERE: &[(c_long, usize)] = &[
    (libc::SYS_chmod, 1),
    (libc::SYS_mknod, 1),
    (libc::SYS_creat, 1),
];
#[cfg(not(target_arch = "x86_64"))]
const WITH_MODE_HERE: &[(c_long, usize)] = &[];

/// Neighbouring calls and what is done about them: instructions that end in a return.
struct Rule {
    calls: RangeInclusive<u32>,
    block: Vec<sock_filter>,
}

/// The whole program.
pub(crate) fn program(open: Open) -> Vec<sock_filter> {
    let rules = together(rules(open));
    let mut program = vec![
        load(ARCH),
        jump(libc::BPF_JEQ, ARCHITECTURE, 1, 0),
        end(KILL),
        load(NUMBER),
        jump(libc::BPF_JGE, X32, 0, 1),
        end(refuse(libc::ENOSYS)),
    ];
    program.extend(tree(&rules));
    program
}

fn rules(open: Open) -> Vec<Rule> {
    let mut refused: Vec<c_long> = [NEVER, NEVER_HERE].concat();
    if !open.nesting {
        refused.extend(MOUNTING);
    }
    if !open.metadata {
        refused.extend([METADATA, METADATA_HERE].concat());
    }
    if !open.ipc {
        refused.extend(SYSTEM_V);
    }
    let modes = [WITH_MODE, WITH_MODE_HERE].concat().into_iter();
    let modes: Vec<_> = modes
        .filter(|(number, _)| !refused.contains(number))
        .collect();
    let plain = refused
        .into_iter()
        .map(|number| rule(number, vec![end(refuse(libc::EPERM))]));
    let mut rules: Vec<Rule> = plain.collect();
    // Their arguments lie behind a pointer; who is told that they are unknown uses `clone` and `openat`.
    for unseen in [libc::SYS_clone3, libc::SYS_openat2] {
        rules.push(rule(unseen, vec![end(refuse(libc::ENOSYS))]));
    }
    rules.extend(
        modes
            .into_iter()
            .map(|(number, at)| rule(number, none_of(at, SET_ID))),
    );
    rules.push(rule(libc::SYS_openat, created(2)));
    #[cfg(target_arch = "x86_64")]
    rules.push(rule(libc::SYS_open, created(1)));
    rules.push(rule(libc::SYS_prlimit64, only_own()));
    if !open.nesting {
        rules.push(rule(libc::SYS_clone, none_of(0, CLONE_NEW)));
        rules.push(rule(
            libc::SYS_unshare,
            none_of(0, CLONE_NEW | CLONE_NEWTIME),
        ));
    }
    rules.push(rule(libc::SYS_ioctl, ioctl(open)));
    rules.push(rule(libc::SYS_socket, socket(open)));
    rules.push(rule(libc::SYS_socketpair, socketpair(open)));
    rules
}

fn rule(number: c_long, block: Vec<sock_filter>) -> Rule {
    let call = call(number);
    Rule {
        calls: call..=call,
        block,
    }
}

/// Sorted, and neighbours with which the same is done as one: a sixth fewer instructions.
fn together(mut rules: Vec<Rule>) -> Vec<Rule> {
    rules.sort_by_key(|rule| *rule.calls.start());
    rules.dedup_by(|next, rule| {
        let same = rule.block == next.block && *rule.calls.end() + 1 == *next.calls.start();
        if same {
            rule.calls = *rule.calls.start()..=*next.calls.end();
        }
        same
    });
    rules
}

/// A file that is opened to be made, with the flags at one argument and the mode at the next.
fn created(flags: usize) -> Vec<sock_filter> {
    // O_CREAT, and of O_TMPFILE the bit that no other flag has.
    const MAKES: u32 = 0o100 | 0o20_000_000;
    let mut block = vec![
        load(ARGUMENT[flags]),
        jump(libc::BPF_JSET, MAKES, 1, 0),
        end(ALLOW),
    ];
    block.extend(none_of(flags + 1, SET_ID));
    block
}

/// Limits of this process, and not of another one of the same user.
fn only_own() -> Vec<sock_filter> {
    let mut block = vec![load(ARGUMENT[0])];
    block.extend(when(0, end(ALLOW)));
    block.push(end(refuse(libc::EPERM)));
    block
}

/// An argument has none of these bits.
fn none_of(argument: usize, bits: u32) -> Vec<sock_filter> {
    vec![
        load(ARGUMENT[argument]),
        jump(libc::BPF_JSET, bits, 0, 1),
        end(refuse(libc::EPERM)),
        end(ALLOW),
    ]
}

/// Typing into a terminal, and the attributes of files where metadata is refused.
fn ioctl(open: Open) -> Vec<sock_filter> {
    const TIOCSTI: u32 = 0x5412;
    const TIOCLINUX: u32 = 0x541c;
    let mut refused = vec![TIOCSTI, TIOCLINUX];
    if !open.metadata {
        refused.extend(CHANGES_ATTRIBUTES);
    }
    let mut block = vec![load(ARGUMENT[1])];
    for request in refused {
        block.extend(when(request, end(refuse(libc::EPERM))));
    }
    block.push(end(ALLOW));
    block
}

/// Local and internet sockets where they are open, and the routing part of netlink, which only asks about interfaces.
fn socket(open: Open) -> Vec<sock_filter> {
    let allowed = |yes: bool| end(if yes { ALLOW } else { refuse(libc::EACCES) });
    let mut block = vec![load(ARGUMENT[0])];
    block.extend(when(family(libc::AF_UNIX), allowed(open.local)));
    block.extend(when(family(libc::AF_INET), allowed(open.internet)));
    block.extend(when(family(libc::AF_INET6), allowed(open.internet)));
    block.extend([
        jump(libc::BPF_JEQ, family(libc::AF_NETLINK), 1, 0),
        end(refuse(libc::EAFNOSUPPORT)),
        load(ARGUMENT[2]),
        jump(libc::BPF_JEQ, family(libc::NETLINK_ROUTE), 0, 1),
        end(ALLOW),
        end(refuse(libc::EPROTONOSUPPORT)),
    ]);
    block
}

/// A pair of datagram sockets can be connected anew, to a path; one of streams cannot.
fn socketpair(open: Open) -> Vec<sock_filter> {
    const TYPE: u32 = 0xf;
    let mut block = vec![
        load(ARGUMENT[0]),
        jump(libc::BPF_JEQ, family(libc::AF_UNIX), 1, 0),
        end(refuse(libc::EAFNOSUPPORT)),
    ];
    if !open.local {
        block.extend([load(ARGUMENT[1]), mask(TYPE)]);
        block.extend(when(family(libc::SOCK_DGRAM), end(refuse(libc::EACCES))));
    }
    block.push(end(ALLOW));
    block
}

/// A search tree over sorted rules; what no rule names is allowed.
fn tree(rules: &[Rule]) -> Vec<sock_filter> {
    const LEAF: usize = 4;
    if rules.len() <= LEAF {
        let mut leaf = Vec::new();
        for Rule { calls, block } in rules {
            let length = u8::try_from(block.len()).expect("a block has a few instructions");
            let (first, last) = (*calls.start(), *calls.end());
            if first == last {
                leaf.push(jump(libc::BPF_JEQ, first, 0, length));
            } else {
                leaf.push(jump(libc::BPF_JGE, first, 0, length + 1));
                leaf.push(jump(libc::BPF_JGT, last, length, 0));
            }
            leaf.extend(block);
        }
        leaf.push(end(ALLOW));
        return leaf;
    }
    let (low, high) = rules.split_at(rules.len() / 2);
    let low = tree(low);
    let over = u32::try_from(low.len()).expect("a filter has a few hundred instructions");
    let mut found = vec![
        jump(libc::BPF_JGE, *high[0].calls.start(), 0, 1),
        skip(over),
    ];
    found.extend(low);
    found.extend(tree(high));
    found
}

fn call(number: c_long) -> u32 {
    u32::try_from(number).expect("a system call has a small positive number")
}

fn family(number: libc::c_int) -> u32 {
    u32::try_from(number).expect("an address family has a small positive number")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: Open = Open {
        internet: false,
        local: false,
        metadata: false,
        ipc: false,
        nesting: false,
    };
    const NAMESPACED: Open = Open {
        internet: true,
        local: true,
        metadata: true,
        ipc: true,
        nesting: false,
    };

    /// What the kernel would do: the filter run on one call.
    fn run(program: &[sock_filter], arch: u32, number: u32, arguments: [u64; 4]) -> u32 {
        let (mut accumulator, mut at) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            let met = |met: bool| usize::from(if met { step.jt } else { step.jf });
            match u32::from(step.code) {
                0x20 => {
                    accumulator = match step.k {
                        NUMBER => number,
                        ARCH => arch,
                        offset => arguments[(offset as usize - 16) / 8] as u32,
                    }
                }
                0x54 => accumulator &= step.k,
                0x05 => at += step.k as usize,
                0x15 => at += met(accumulator == step.k),
                0x25 => at += met(accumulator > step.k),
                0x35 => at += met(accumulator >= step.k),
                0x45 => at += met(accumulator & step.k != 0),
                0x06 => return step.k,
                code => panic!("unknown instruction {code:#x}"),
            }
        }
    }

    fn on(open: Open, number: c_long, arguments: [u64; 4]) -> u32 {
        run(&program(open), ARCHITECTURE, call(number), arguments)
    }

    #[test]
    fn another_interface_is_refused() {
        let program = program(NAMESPACED);
        assert_eq!(run(&program, 0x4000_0003, 1, [0; 4]), KILL);
        assert_eq!(
            run(&program, ARCHITECTURE, X32 | 1, [0; 4]),
            refuse(libc::ENOSYS)
        );
    }

    #[test]
    fn everything_on_the_lists_is_refused_and_nothing_else() {
        let lists = [NEVER, NEVER_HERE, MOUNTING].concat();
        let closed = [METADATA, METADATA_HERE, SYSTEM_V].concat();
        for (open, refused) in [
            (NAMESPACED, lists.clone()),
            (CLOSED, [lists, closed].concat()),
        ] {
            let refused: Vec<u32> = refused.into_iter().map(call).collect();
            let plain = |rule: &Rule| rule.block.len() == 1;
            let conditional: Vec<u32> = rules(open)
                .iter()
                .filter(|rule| !plain(rule))
                .map(|rule| *rule.calls.start())
                .chain([libc::SYS_clone3, libc::SYS_openat2].map(call))
                .collect();
            let program = program(open);
            for number in 0..1000 {
                let expected = match refused.contains(&number) {
                    _ if conditional.contains(&number) => continue,
                    true => refuse(libc::EPERM),
                    false => ALLOW,
                };
                let found = run(&program, ARCHITECTURE, number, [0; 4]);
                assert_eq!(found, expected, "{open:?}, call {number}");
            }
        }
    }

    #[test]
    fn arguments_decide() {
        let no = refuse(libc::EPERM);
        let denied = refuse(libc::EACCES);
        let unsupported = refuse(libc::EAFNOSUPPORT);
        let high = 1 << 40;
        for (open, number, arguments, expected) in [
            (NAMESPACED, libc::SYS_clone, [0x11, 0, 0, 0], ALLOW),
            (NAMESPACED, libc::SYS_clone, [0x1000_0011, 0, 0, 0], no),
            (NAMESPACED, libc::SYS_clone, [high | 0x2_0011, 0, 0, 0], no),
            (NAMESPACED, libc::SYS_unshare, [0x400, 0, 0, 0], ALLOW),
            (NAMESPACED, libc::SYS_unshare, [0x80, 0, 0, 0], no),
            (
                NAMESPACED,
                libc::SYS_clone3,
                [0, 0, 0, 0],
                refuse(libc::ENOSYS),
            ),
            (NAMESPACED, libc::SYS_ioctl, [0, high | 0x5412, 0, 0], no),
            (NAMESPACED, libc::SYS_ioctl, [0, 0x5413, 0, 0], ALLOW),
            (NAMESPACED, libc::SYS_ioctl, [0, 0x4008_6602, 0, 0], ALLOW),
            (CLOSED, libc::SYS_ioctl, [0, 0x4008_6602, 0, 0], no),
            (NAMESPACED, libc::SYS_socket, [1, 1, 0, 0], ALLOW),
            (NAMESPACED, libc::SYS_socket, [2, 2, 0, 0], ALLOW),
            (NAMESPACED, libc::SYS_socket, [16, 3, 0, 0], ALLOW),
            (
                NAMESPACED,
                libc::SYS_socket,
                [16, 3, 9, 0],
                refuse(libc::EPROTONOSUPPORT),
            ),
            (NAMESPACED, libc::SYS_socket, [40, 1, 0, 0], unsupported),
            (NAMESPACED, libc::SYS_socket, [38, 5, 0, 0], unsupported),
            (CLOSED, libc::SYS_socket, [1, 1, 0, 0], denied),
            (CLOSED, libc::SYS_socket, [2, 1, 0, 0], denied),
            (CLOSED, libc::SYS_socket, [10, 2, 0, 0], denied),
            (CLOSED, libc::SYS_socketpair, [1, 0x8_0001, 0, 0], ALLOW),
            (CLOSED, libc::SYS_socketpair, [1, 0x8_0002, 0, 0], denied),
            (NAMESPACED, libc::SYS_socketpair, [1, 2, 0, 0], ALLOW),
            (NAMESPACED, libc::SYS_socketpair, [30, 1, 0, 0], unsupported),
            (NAMESPACED, libc::SYS_fchmod, [3, 0o4755, 0, 0], no),
            (NAMESPACED, libc::SYS_fchmodat, [3, 0, 0o2755, 0], no),
            (NAMESPACED, libc::SYS_openat, [0, 0, 0o101, 0o4755], no),
            (NAMESPACED, libc::SYS_openat, [0, 0, 0o101, 0o755], ALLOW),
            (NAMESPACED, libc::SYS_openat, [0, 0, 0, 0o4755], ALLOW),
            (NAMESPACED, libc::SYS_prlimit64, [0, 7, 0, 0], ALLOW),
            (NAMESPACED, libc::SYS_prlimit64, [9, 7, 0, 0], no),
            (NAMESPACED, libc::SYS_shmget, [0, 0, 0, 0], ALLOW),
            (CLOSED, libc::SYS_shmget, [0, 0, 0, 0], no),
            (CLOSED, libc::SYS_fchmod, [0, 0, 0, 0], no),
            (NAMESPACED, libc::SYS_fchmod, [0, 0, 0, 0], ALLOW),
        ] {
            assert_eq!(
                on(open, number, arguments),
                expected,
                "{open:?} {number} {arguments:?}"
            );
        }
        let nesting = Open {
            nesting: true,
            ..NAMESPACED
        };
        assert_eq!(
            on(nesting, libc::SYS_unshare, [0x1000_0000, 0, 0, 0]),
            ALLOW
        );
        assert_eq!(on(nesting, libc::SYS_mount, [0; 4]), ALLOW);
        assert_eq!(on(nesting, libc::SYS_ptrace, [0; 4]), no);
    }
}
