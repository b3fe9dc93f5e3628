"""Attacks on what is known about files rather than what is in them."""

import os

from common import OUTSIDE, call


def chmod_outside(at):
    os.chmod(at.key, 0o777)
    return OUTSIDE


def chmod_by_descriptor(at):
    os.fchmod(os.open(at.key, os.O_RDONLY), 0o777)
    return OUTSIDE


def chmod_by_the_newest_call(at):
    call("fchmodat2", -100, __import__("ctypes").c_char_p(at.key.encode()), 0o777, 0)
    return OUTSIDE


def chmod_a_directory(at):
    os.chmod(at.home, 0o777)
    return OUTSIDE


def chmod_what_it_does_not_own(at):
    """A file of the workspace that it can read."""
    os.chmod(at.other, 0o777)
    return OUTSIDE


def chown_outside(at):
    os.chown(at.key, os.getuid(), os.getgid())
    return OUTSIDE


def utime_outside(at):
    os.utime(at.key, (1, 1))
    return OUTSIDE


def utime_of_what_it_does_not_own(at):
    """A build that looks at times would leave the file out."""
    os.utime(at.other, (1, 1))
    return OUTSIDE


def xattr_outside(at):
    os.setxattr(at.key, "user.attacked", b"1")
    return OUTSIDE


def xattr_of_what_it_does_not_own(at):
    os.setxattr(at.other, "user.attacked", b"1")
    return OUTSIDE


def set_user_id_on_its_own(at):
    """A program for others to run, left in its workspace."""
    os.chmod(at.own, 0o4755)
    if not os.stat(at.own).st_mode & 0o4000:
        raise PermissionError(1, "it was taken away")
