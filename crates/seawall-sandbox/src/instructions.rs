//! The instructions of a system call filter, as the kernel takes them (classic BPF, `seccomp(2)`).

use nix::libc::{self, sock_filter};

/// The action that has a call fail with an error number.
pub(crate) fn refuse(errno: libc::c_int) -> u32 {
    libc::SECCOMP_RET_ERRNO | u32::try_from(errno).expect("an error number is positive")
}

/// An instruction for one value of what is loaded.
pub(crate) fn when(value: u32, then: sock_filter) -> [sock_filter; 2] {
    [jump(libc::BPF_JEQ, value, 0, 1), then]
}

/// Loads a word of `struct seccomp_data`, by its offset.
pub(crate) fn load(offset: u32) -> sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

/// Keeps these bits of what is loaded.
pub(crate) fn mask(bits: u32) -> sock_filter {
    instruction(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, bits, 0, 0)
}

/// Compares what is loaded, and leaves so many instructions out in either case.
pub(crate) fn jump(how: u32, value: u32, yes: u8, no: u8) -> sock_filter {
    instruction(libc::BPF_JMP | how | libc::BPF_K, value, yes, no)
}

/// Leaves so many instructions out.
pub(crate) fn skip(count: u32) -> sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JA, count, 0, 0)
}

/// Ends with an action.
pub(crate) fn end(action: u32) -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, action, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    let code = u16::try_from(code).expect("an operation has sixteen bits");
    sock_filter { code, jt, jf, k }
}
