"""Attacks through what processes share besides files."""

import ctypes
import os

from common import OUTSIDE, check, expect, libc, read, refuse


def shared_memory_segment(at):
    segment = check(libc.shmget(at.bystander["key"], 0, 0))
    libc.shmat.restype = ctypes.c_void_p
    address = libc.shmat(segment, None, 0o10000)
    if address in (None, ctypes.c_void_p(-1).value):
        check(-1)
    expect(ctypes.string_at(address, 99), at.secret)


def message_queue(at):
    queue = check(libc.msgget(at.bystander["key"], 0))
    buffer = ctypes.create_string_buffer(128)
    check(libc.msgrcv(queue, buffer, 100, ctypes.c_long(0), 0o4000))
    expect(buffer.raw, at.secret)


def semaphore(at):
    """Removes the one that a build of the user waits for."""
    semaphores = check(libc.semget(at.bystander["key"], 0, 0))
    check(libc.semctl(semaphores, 0, 0))


def posix_message_queue(at):
    queue = check(libc.mq_open(at.bystander["queue"].encode(), os.O_RDONLY | os.O_NONBLOCK))
    buffer = ctypes.create_string_buffer(8192)
    check(libc.mq_receive(queue, buffer, 8192, None))
    expect(buffer.raw, at.secret)


def shared_memory_file(at):
    expect(read(at.bystander["shared"]), at.secret)


def write_shared_memory(at):
    with open("/dev/shm/seawall-attack-" + at.mark, "x") as file:
        file.write("attacked")
    return OUTSIDE


def key_of_the_user(at):
    key_type, name = b"user", at.bystander["user_key"].encode()
    from common import call
    user_keyring, search, read_key = -4, 10, 11
    key = call("keyctl", search, user_keyring, ctypes.c_char_p(key_type), ctypes.c_char_p(name), 0)
    buffer = ctypes.create_string_buffer(99)
    call("keyctl", read_key, key, buffer, 99)
    expect(buffer.raw, at.secret)


def add_a_key(at):
    """Keys outlive the process, and every process of the user finds them."""
    from common import call
    name = ctypes.c_char_p(b"seawall-attack-" + at.mark.encode())
    user_keyring, unlink = -4, 9
    key = call("add_key", ctypes.c_char_p(b"user"), name, ctypes.c_char_p(b"x"), 1, user_keyring)
    call("keyctl", unlink, key, user_keyring)
