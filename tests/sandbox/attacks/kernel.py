"""Attacks on the walls themselves, and on the kernel."""

import ctypes
import os

from common import call, check, libc, reached, read, refuse

NEW_USER, NEW_MOUNTS, NEW_NETWORK, NEW_PROCESSES = 0x10000000, 0x00020000, 0x40000000, 0x20000000


def user_namespace(at):
    """In one of its own, a worker has every capability, and all of the kernel that asks for one."""
    call("unshare", NEW_USER)


def user_namespace_by_clone(at):
    child = call("clone", NEW_USER | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def user_namespace_by_clone3(at):
    """Its flags are in memory, where no filter of system calls can read them."""
    arguments = (ctypes.c_uint64 * 11)(NEW_USER, 0, 0, 0, 17)
    child = call("clone3", arguments, 88)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def mount_namespace(at):
    call("unshare", NEW_MOUNTS)


def network_namespace(at):
    call("unshare", NEW_NETWORK)


def mount_in_a_user_namespace(at):
    call("unshare", NEW_USER | NEW_MOUNTS)
    check(libc.mount(b"none", b"/mnt", b"tmpfs", 0, None))


def join_another_namespace(at):
    """Those of the first process, which as root on the host is the way out."""
    for name in ("net", "mnt", "ipc", "uts"):
        try:
            namespace = os.open(f"/proc/{at.bystander['pid']}/ns/{name}", os.O_RDONLY)
        except OSError:
            continue
        call("setns", namespace, 0)
        return
    refuse("none can be opened")


def mount_a_file_system(at):
    check(libc.mount(b"none", at.work.encode(), b"tmpfs", 0, None))
    libc.umount2(at.work.encode(), 2)


def bind_over(at):
    bind = 4096
    check(libc.mount(at.home.encode(), at.work.encode(), None, bind, None))
    libc.umount2(at.work.encode(), 2)


def lift_what_covers(at):
    """Removes a mount, below which the real thing may lie."""
    def lift(path):
        try:
            check(libc.umount2(path.encode(), 2))
        except OSError as error:
            if error.errno == 22:  # not a mount point: it was considered
                return True
            return False
        return True

    if not any([lift("/nowhere-that-is-a-mount"), lift(at.work), lift("/run/seawall")]):
        refuse("refused before it was looked at")


def new_mount_calls(at):
    name = ctypes.c_char_p(b"tmpfs")
    os.close(call("fsopen", name, 0))


def open_a_tree(at):
    clone = 1
    os.close(call("open_tree", -100, ctypes.c_char_p(at.work.encode()), clone))


def change_a_mount(at):
    attributes = (ctypes.c_uint64 * 4)(0, 1, 0, 0)
    reached("mount_setattr", -100, ctypes.c_char_p(at.work.encode()), 0, attributes, 31)


def another_root(at):
    os.chroot(at.work)


def pivot_root(at):
    path = ctypes.c_char_p(at.work.encode())
    reached("pivot_root", path, path)


def capabilities(at):
    """Any that can be used or handed on; the bounding set of an ordinary user bounds nothing."""
    with open("/proc/self/status") as status:
        sets = [line.split()[1] for line in status if line[:6] in ("CapInh", "CapPrm", "CapEff", "CapAmb")]
    if all(int(each, 16) == 0 for each in sets):
        refuse("there is none")


def berkeley_packet_filters(at):
    attributes = (ctypes.c_uint32 * 18)(1, 4, 4, 1)
    os.close(call("bpf", 0, attributes, 72))


def performance_counters(at):
    attributes = (ctypes.c_uint32 * 32)(1, 128)
    os.close(call("perf_event_open", attributes, 0, -1, -1, 0))


def faults_in_user_space(at):
    """Stops the kernel in the middle of a copy, which turns small races into sure ones."""
    os.close(call("userfaultfd", 1))


def kernel_log(at):
    size_of_buffer = 10
    call("syslog", size_of_buffer, 0, 0)
    buffer = ctypes.create_string_buffer(4096)
    call("syslog", 3, buffer, 4096)


def kernel_modules(at):
    reached("delete_module", ctypes.c_char_p(b"seawall_no_such_module"), 0)


def another_kernel(at):
    reached("kexec_load", 0, 99, 0, 99)


def accounting(at):
    reached("acct", ctypes.c_char_p(b"/nowhere/at/all"))


def swap(at):
    reached("swapoff", ctypes.c_char_p(b"/nowhere/at/all"))


def quotas(at):
    reached("quotactl", 0, None, 0, None)


def name_of_the_host(at):
    name = os.uname().nodename.encode()
    check(libc.sethostname(name, len(name)))


def kernel_settings(at):
    """Writes back what is there."""
    path = "/proc/sys/kernel/core_pattern"
    value = read(path)
    with open(path, "wb") as file:
        file.write(value)


def control_groups(at):
    """Leaves the group that holds its limits."""
    for directory, _, names in os.walk("/sys/fs/cgroup"):
        if "cgroup.procs" in names:
            try:
                with open(directory + "/cgroup.procs", "w"):
                    return
            except OSError:
                pass
    refuse("none can be written")


def foreign_system_calls(at):
    """The numbers of x32, which a filter that looks at the number alone does not know."""
    libc.syscall.restype = ctypes.c_long
    getpid = 39 | 0x40000000
    if libc.syscall(ctypes.c_long(getpid)) == -1 and ctypes.get_errno() in (1, 38):
        refuse("they are refused")


def more_privileges_on_exec(at):
    """`no_new_privs`, the promise that the whole filter rests on."""
    get_no_new_privs = 39
    if libc.prctl(get_no_new_privs, 0, 0, 0, 0) == 1:
        refuse("it is set")


def core_of_the_supervisor(at):
    """A core file of a process that held secrets, on the user's disk."""
    import resource
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    except ValueError as error:
        refuse(str(error))
