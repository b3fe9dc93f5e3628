//! The stack of a child that shares the memory of its parent: it costs two calls and the few pages that are really used.
//!
//! One that is not used any more is kept for the next child: to take it out of a memory that two processes share has the kernel
//! interrupt the processor of the other one. A process never has more than the three of a launch at the same time: the
//! keeper's, and those of its children.

use std::io;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use nix::libc;

/// A stack for [`super::start_sharing`] and [`super::start_beside`], with a page below it that cannot be written.
pub(super) struct Stack(*mut libc::c_void);

/// Those that wait for their next child; null where there is none.
static SPARE: [AtomicPtr<libc::c_void>; 3] = [const { AtomicPtr::new(null_mut()) }; 3];

impl Stack {
    const SIZE: usize = 1 << 20;
    /// At least a page on every architecture.
    const GUARD: usize = 1 << 16;

    pub(super) fn new() -> io::Result<Self> {
        let spare = SPARE.iter().find_map(|place| {
            let at = place.swap(null_mut(), Ordering::Acquire);
            (!at.is_null()).then_some(Self(at))
        });
        spare.map_or_else(Self::map, Ok)
    }

    fn map() -> io::Result<Self> {
        let (access, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE,
        );
        // SAFETY: new memory at a place of the kernel's choice, which nothing else knows.
        let at = unsafe { libc::mmap(null_mut(), Self::SIZE, access, kind, -1, 0) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the lower end of the memory just made, which is not used yet.
        let guarded =
            super::check(unsafe { libc::mprotect(at, Self::GUARD, libc::PROT_NONE) }.into());
        if let Err(error) = guarded {
            // SAFETY: the memory just made, which nothing uses.
            unsafe { libc::munmap(at, Self::SIZE) };
            return Err(error);
        }
        Ok(Self(at))
    }

    /// Stacks grow downwards on every supported architecture; the size is a multiple of every alignment.
    pub(super) fn top(&self) -> *mut libc::c_void {
        self.0.wrapping_byte_add(Self::SIZE)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let kept = SPARE.iter().any(|place| {
            place
                .compare_exchange(null_mut(), self.0, Ordering::Release, Ordering::Relaxed)
                .is_ok()
        });
        if !kept {
            // SAFETY: the memory of `map`, which nothing uses any more: the child has left it.
            unsafe { libc::munmap(self.0, Self::SIZE) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_used_again_and_never_by_two() {
        let mut held: Vec<_> = (0..5).map(|_| Stack::new().unwrap()).collect();
        let mut places: Vec<_> = held.iter().map(|stack| stack.0 as usize).collect();
        places.sort_unstable();
        let far = |pair: &[usize]| pair[1] - pair[0] >= Stack::SIZE;
        assert!(places.windows(2).all(far), "{places:?}");
        // SAFETY: the uppermost byte of each is its own, and nothing runs on them.
        let last = |stack: &Stack| unsafe { stack.top().cast::<u8>().sub(1) };
        for stack in &held {
            // SAFETY: as above.
            unsafe { last(stack).write_volatile(7) };
        }
        held.clear();
        // Other tests of this process may take some of the spare ones in between; a new one holds zeroes.
        // SAFETY: as above.
        let again = || unsafe { last(&Stack::new().unwrap()).read_volatile() } == 7;
        assert!((0..100).any(|_| again()));
    }
}
