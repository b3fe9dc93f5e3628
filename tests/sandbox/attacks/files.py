"""Attacks on files: what the worker does not own, by every way that leads to a file."""

import array
import ctypes
import mmap
import os
import socket
import struct

from common import OUTSIDE, call, check, expect, libc, read


def write_a_file_that_it_does_not_own(at):
    with open(at.other, "w") as file:
        file.write("attacked")
    return OUTSIDE


def create_a_file_beside_its_own(at):
    with open(at.work + "/new", "x") as file:
        file.write("attacked")
    return OUTSIDE


def write_the_real_checkout(at):
    with open(at.checkout + "/a.py", "w") as file:
        file.write("attacked")
    return OUTSIDE


def write_a_sibling(at):
    with open(at.sibling + "/a.py", "w") as file:
        file.write("attacked")
    return OUTSIDE


def read_a_sibling(at):
    expect(read(at.sibling + "/a.py"), at.secret)


def list_the_home(at):
    if ".ssh" not in os.listdir(at.home):
        raise PermissionError(1, "there is nothing in it")


def stat_a_secret(at):
    os.stat(at.key)


def truncate_by_path(at):
    os.truncate(at.other, 1)
    return OUTSIDE


def truncate_by_open(at):
    os.close(os.open(at.other, os.O_WRONLY | os.O_TRUNC))
    return OUTSIDE


def truncate_while_reading(at):
    os.close(os.open(at.other, os.O_RDONLY | os.O_TRUNC))
    return OUTSIDE


def remove_a_file(at):
    os.unlink(at.other)
    return OUTSIDE


def rename_over_a_file(at):
    with open(at.work + "/a.py.new", "x") as file:
        file.write("attacked")
    os.rename(at.work + "/a.py.new", at.sibling + "/a.py")
    return OUTSIDE


def rename_its_own_over_another(at):
    os.rename(at.own, at.other)
    return OUTSIDE


def exchange_with_the_checkout(at):
    exchange = 2
    check(libc.renameat2(-100, at.own.encode(), -100, (at.checkout + "/a.py").encode(), exchange))
    return OUTSIDE


def rename_a_secret_into_reach(at):
    os.rename(at.key, at.work + "/stolen")
    return OUTSIDE


def hard_link_a_secret(at):
    os.link(at.key, at.work + "/stolen")
    expect(read(at.work + "/stolen"), at.secret)


def hard_link_its_own_outside(at):
    os.link(at.own, at.home + "/planted")
    return OUTSIDE


def symlink_to_a_secret(at):
    os.symlink(at.key, at.work + "/link")
    expect(read(at.work + "/link"), at.secret)


def symlink_and_write_through(at):
    os.symlink(at.checkout + "/a.py", at.work + "/link")
    with open(at.work + "/link", "w") as file:
        file.write("attacked")
    return OUTSIDE


def its_own_file_becomes_a_symlink(at):
    os.unlink(at.own)
    os.symlink(at.key, at.own)
    expect(read(at.own), at.secret)


def dot_dot(at):
    expect(read(os.path.relpath(at.key, at.work)), at.secret)


def dot_dot_of_a_descriptor(at):
    work = os.open(at.work, os.O_PATH)
    key = os.open("../.ssh/id_ed25519", os.O_RDONLY, dir_fd=work)
    expect(os.read(key, 99), at.secret)


def proc_self_root(at):
    expect(read("/proc/self/root" + at.key), at.secret)


def proc_self_cwd(at):
    expect(read("/proc/self/cwd/../.ssh/id_ed25519"), at.secret)


def root_of_every_process(at):
    """Through `/proc/PID/root` and `/proc/PID/cwd` of everything that is seen, the launcher and the keeper included."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for way in ("root" + at.key, "cwd/../.ssh/id_ed25519"):
            if int(pid) == os.getpid():
                continue
            try:
                return expect(read(f"/proc/{pid}/{way}"), at.secret)
            except OSError:
                pass
    raise PermissionError(1, "no process leads to it")


def open_by_handle(at):
    """The handle of the secret is known beforehand, so nothing need be found by name."""
    raw = bytes.fromhex(at.bystander["handle"])
    kind = at.bystander["handle_type"]
    handle = ctypes.create_string_buffer(struct.pack("Ii", len(raw), kind) + raw)
    where = os.open(at.work, os.O_RDONLY)
    key = call("open_by_handle_at", where, handle, os.O_RDONLY)
    expect(os.read(key, 99), at.secret)


def map_a_file_that_was_opened_to_be_read(at):
    reader = os.open(at.other, os.O_RDONLY)
    writer = os.open(f"/proc/self/fd/{reader}", os.O_RDWR)
    with mmap.mmap(writer, 4) as shared:
        shared[:4] = b"evil"
    return OUTSIDE


def reopen_for_writing(at):
    path = os.open(at.other, os.O_PATH)
    writer = os.open(f"/proc/self/fd/{path}", os.O_WRONLY)
    os.write(writer, b"attacked")
    return OUTSIDE


def a_descriptor_from_a_bystander(at):
    """SCM_RIGHTS: a service of the host that hands out open files to whoever connects."""
    with socket.socket(socket.AF_UNIX) as service:
        service.connect(at.bystander["stream"])
        _, rights, _, _ = service.recvmsg(1, socket.CMSG_SPACE(4))
    held = array.array("i", rights[0][2][:4])[0]
    expect(os.pread(held, 99, 0), at.secret)


def an_inherited_descriptor(at):
    expect(os.pread(9, 99, 0), at.secret)


def an_inherited_directory(at):
    key = os.open(".ssh/id_ed25519", os.O_RDONLY, dir_fd=8)
    expect(os.read(key, 99), at.secret)


def descriptors_of_every_process(at):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            numbers = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for number in numbers:
            try:
                if os.readlink(f"/proc/{pid}/fd/{number}") == at.key:
                    return expect(read(f"/proc/{pid}/fd/{number}"), at.secret)
            except OSError:
                pass
    raise PermissionError(1, "no process holds it")


def io_uring(at):
    """A ring does what a filter of system calls would refuse."""
    parameters = ctypes.create_string_buffer(120)
    os.close(call("io_uring_setup", 4, parameters))


def make_a_device(at):
    """As root, a node for the disk that holds everything."""
    os.mknod(at.work + "/disk", 0o060600, os.stat(at.work).st_dev)


def read_shadow(at):
    read("/etc/shadow")


def write_the_system(at):
    """Where programs, settings and timers of the system are; what is made is removed at once."""
    name = "seawall-attack-" + at.mark
    for directory in ("/usr/local/bin", "/etc/cron.d", "/etc", "/usr/lib", "/var/lib", "/opt"):
        path = os.path.join(directory, name)
        try:
            with open(path, "x"):
                pass
        except OSError:
            continue
        os.unlink(path)
        return
    raise PermissionError(1, "none can be written")


def remount_the_system(at):
    """What is mounted read-only is made writable again."""
    remount, bind = 32, 4096
    check(libc.mount(None, b"/", None, remount | bind, None))
