//! The stack of a child that shares the memory of its parent: it costs two calls and the few pages that are really used.

use std::io;

use nix::libc;

/// A stack for [`super::start_sharing`], with a page below it that cannot be written.
pub(super) struct Stack(*mut libc::c_void);

impl Stack {
    const SIZE: usize = 1 << 20;
    /// At least a page on every architecture.
    const GUARD: usize = 1 << 16;

    pub(super) fn new() -> io::Result<Self> {
        let (access, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE,
        );
        // SAFETY: new memory at a place of the kernel's choice, which nothing else knows.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), Self::SIZE, access, kind, -1, 0) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let stack = Self(at);
        // SAFETY: the lower end of the memory just made, which is not used yet.
        super::check(unsafe { libc::mprotect(stack.0, Self::GUARD, libc::PROT_NONE) }.into())?;
        Ok(stack)
    }

    /// Stacks grow downwards on every supported architecture; the size is a multiple of every alignment.
    pub(super) fn top(&self) -> *mut libc::c_void {
        self.0.wrapping_byte_add(Self::SIZE)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the memory of `new`, which nothing uses any more: the child has left it.
        unsafe { libc::munmap(self.0, Self::SIZE) };
    }
}
