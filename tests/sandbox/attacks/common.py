"""What every attack stands on: raw system calls, and the words for how an attack went.

An attack is a function that takes `at`, the places and things of the arena. When it returns, it succeeded. When it returns
`OUTSIDE`, only a look from outside can tell, because inside everything may be a private copy. Any `OSError` is a refusal.
"""

import ctypes
import os
import platform

OUTSIDE = object()

libc = ctypes.CDLL(None, use_errno=True)

# By kernel header: asm/unistd_64.h, asm-generic/unistd.h.
NUMBERS = {
    "x86_64": {
        "syslog": 103, "pivot_root": 155, "acct": 163, "delete_module": 176, "quotactl": 179, "add_key": 248,
        "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298, "name_to_handle_at": 303,
        "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "bpf": 321,
        "userfaultfd": 323, "clone": 56, "kexec_load": 246, "swapoff": 168, "modify_ldt": 154, "chroot": 161,
    },
    "aarch64": {
        "syslog": 116, "pivot_root": 41, "acct": 89, "delete_module": 106, "quotactl": 60, "add_key": 217,
        "request_key": 218, "keyctl": 219, "unshare": 97, "perf_event_open": 241, "name_to_handle_at": 264,
        "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "bpf": 280,
        "userfaultfd": 282, "clone": 220, "kexec_load": 104, "swapoff": 225, "chroot": 51,
    },
}[platform.machine()] | {
    "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "pidfd_open": 434,
    "clone3": 435, "pidfd_getfd": 438, "mount_setattr": 442, "fchmodat2": 452,
}


def check(result):
    """Raises what the last foreign call left in `errno` when it failed."""
    if result is None or result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def call(name, *arguments):
    """A system call by its name; integers and pointers only."""
    libc.syscall.restype = ctypes.c_long
    return check(libc.syscall(ctypes.c_long(NUMBERS[name]), *[
        ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments
    ]))


def reached(name, *arguments):
    """A call that cannot succeed as it is made: any error but a refusal says that the kernel considered it."""
    try:
        call(name, *arguments)
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno == 38:
            raise


def refuse(why):
    """The attack found nothing, which counts as a refusal."""
    raise PermissionError(1, why)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def expect(found, wanted):
    """The attack is a leak: it succeeds when what it found holds what it wanted."""
    if wanted.encode() not in found:
        refuse("it was not the secret that was read")


def any_of(acts):
    """Succeeds when at least one of several ways does."""
    refusals = []
    for act in acts:
        try:
            return act()
        except OSError as error:
            refusals.append(str(error))
    refuse("; ".join(refusals))
