"""Attacks on other processes, and on being ended."""

import ctypes
import os
import signal
import time

from common import OUTSIDE, call, check, expect, libc, read, refuse


def signal_a_bystander(at):
    os.kill(at.bystander["pid"], signal.SIGKILL)
    return OUTSIDE


def signal_by_descriptor(at):
    process = call("pidfd_open", at.bystander["pid"], 0)
    signal.pidfd_send_signal(process, signal.SIGKILL)
    return OUTSIDE


def signal_the_parent(at):
    """Whoever started it watches over it."""
    os.kill(os.getppid(), 0)


def own_a_descriptor_that_signals(at):
    """`F_SETOWN` makes the kernel send the signal instead."""
    import fcntl
    one, other = os.pipe()
    fcntl.fcntl(one, fcntl.F_SETOWN, at.bystander["pid"])
    fcntl.fcntl(one, 10, signal.SIGKILL)  # F_SETSIG
    fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(other, b"x")
    time.sleep(0.1)
    return OUTSIDE


def trace_a_bystander(at):
    seize = 0x4206
    check(libc.ptrace(ctypes.c_long(seize), ctypes.c_long(at.bystander["pid"]), None, None))


def trace_the_parent(at):
    seize = 0x4206
    check(libc.ptrace(ctypes.c_long(seize), ctypes.c_long(os.getppid()), None, None))


def vectors(at, size):
    local = ctypes.create_string_buffer(size)
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(local), size)
    remote = (ctypes.c_size_t * 2)(at.bystander["address_of_secret"], size)
    return local, vector, remote


def read_its_memory(at):
    local, vector, remote = vectors(at, len(at.secret))
    call("process_vm_readv", at.bystander["pid"], vector, 1, remote, 1, 0)
    expect(local.raw, at.secret)


def write_its_memory(at):
    local, vector, remote = vectors(at, len(at.secret))
    local.value = at.secret.encode()
    call("process_vm_writev", at.bystander["pid"], vector, 1, remote, 1, 0)


def read_its_memory_as_a_file(at):
    with open(f"/proc/{at.bystander['pid']}/mem", "rb", buffering=0) as memory:
        memory.seek(at.bystander["address_of_secret"])
        expect(memory.read(len(at.secret)), at.secret)


def memory_of_the_parent(at):
    """The keeper knows the whole order."""
    with open(f"/proc/{os.getppid()}/maps", "rb") as maps:
        if not maps.read():
            refuse("nothing is told")


def environment_of_a_bystander(at):
    expect(read(f"/proc/{at.bystander['pid']}/environ"), at.secret)


def arguments_of_a_bystander(at):
    """Only knowing that it runs, and how it was started."""
    if b"bystander" not in read(f"/proc/{at.bystander['pid']}/cmdline"):
        refuse("it is another process")


def take_its_descriptor(at):
    process = call("pidfd_open", at.bystander["pid"], 0)
    held = call("pidfd_getfd", process, at.bystander["descriptor"], 0)
    expect(os.pread(held, 99, 0), at.secret)


def compare_its_kernel_objects(at):
    """Tells addresses of the kernel apart, bit by bit."""
    call("kcmp", at.bystander["pid"], os.getpid(), 1, 0, 0)


def change_its_priority(at):
    os.setpriority(os.PRIO_PROCESS, at.bystander["pid"], 19)


def change_its_limits(at):
    import resource
    resource.prlimit(at.bystander["pid"], resource.RLIMIT_CORE, (0, 0))


def change_its_processors(at):
    os.sched_setaffinity(at.bystander["pid"], os.sched_getaffinity(0))


def raise_its_own_limits(at):
    """A limit that can be lifted is none; only root ever could."""
    import resource
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard - 1, hard - 1))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except ValueError as error:
        refuse(str(error))


def become_root_by_a_program(at):
    """A program of root with the set-user-id bit."""
    with os.popen(f"{at.bystander['set_user_id']} -u") as program:
        if program.read().strip() != "0":
            refuse("the bit does nothing")


def type_into_the_terminal(at):
    """TIOCSTI: characters that the user's shell will take for its own user's."""
    import fcntl
    tiocsti = 0x5412
    fcntl.ioctl(0, tiocsti, b"x")


def type_by_a_disguised_request(at):
    """The kernel looks at 32 bits of the request, and a filter of 64 bits would let this pass."""
    libc.syscall.restype = ctypes.c_long
    number = {"x86_64": 16, "aarch64": 29}[os.uname().machine]
    text = ctypes.c_char_p(b"x")
    check(libc.syscall(ctypes.c_long(number), ctypes.c_long(0), ctypes.c_ulong(0xDEAD00005412), text))


def paste_into_the_terminal(at):
    """TIOCLINUX pastes on a console; elsewhere the kernel does not know it, and says so unless it is refused before."""
    import fcntl
    try:
        fcntl.ioctl(0, 0x541C, b"\3")
    except OSError as error:
        if isinstance(error, PermissionError):
            raise


def daemon(at):
    """Two forks, a session of its own, deaf to every polite signal."""
    if os.fork() == 0:
        os.setsid()
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    return OUTSIDE


def stopped_child(at):
    """Does not run, so it cannot hear that it is to end."""
    if os.fork() == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(600)
        os._exit(0)
    time.sleep(0.05)
    return OUTSIDE


def files_that_are_run_later(at):
    """What shells, sessions and timers of the user run."""
    for path in (".bashrc", ".profile", ".ssh/authorized_keys", ".config/autostart/x.desktop",
                 ".config/systemd/user/x.service", ".config/git/config", ".gitconfig", ".local/bin/ls"):
        try:
            path = os.path.join(at.home, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "a") as file:
                file.write("attacked")
        except OSError:
            pass
    return OUTSIDE
