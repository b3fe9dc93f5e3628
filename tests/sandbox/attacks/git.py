"""Attacks on the repository behind the workspace; `at.git` is the real `.git`."""

import glob
import os
import time

from common import OUTSIDE, any_of, expect, read, refuse


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def plant_a_hook(at):
    """What git runs for the user at the next commit."""
    hook = at.git + "/hooks/pre-commit"
    os.makedirs(at.git + "/hooks", exist_ok=True)
    append(hook, "#!/bin/sh\ntouch /tmp/attacked\n")
    os.chmod(hook, 0o755)
    return OUTSIDE


def edit_the_settings(at):
    """A file system monitor is a program that `git status` runs."""
    append(at.git + "/config", "[core]\n\tfsmonitor = touch /tmp/attacked\n")
    return OUTSIDE


def move_a_branch(at):
    head = read(at.git + "/refs/heads/main")
    with open(at.git + "/refs/heads/attacked", "wb") as file:
        file.write(head)
    return OUTSIDE


def point_the_head_elsewhere(at):
    with open(at.git + "/HEAD", "w") as file:
        file.write("ref: refs/heads/attacked\n")
    return OUTSIDE


def borrow_objects(at):
    """Objects from a directory of the attacker's."""
    append(at.git + "/objects/info/alternates", os.getcwd() + "/objects\n")
    return OUTSIDE


def replace_the_index(at):
    with open(at.git + "/index", "wb") as file:
        file.write(b"attacked")
    return OUTSIDE


def attributes(at):
    """Filters are programs too."""
    append(at.git + "/info/attributes", "* filter=attacked\n")
    return OUTSIDE


def swap_the_whole(at):
    os.rename(at.git, at.git + ".old")
    os.mkdir(at.git)
    return OUTSIDE


def read_the_settings(at):
    """Addresses of remotes often hold a token."""
    expect(read(at.git + "/config"), at.secret)


def read_the_last_message(at):
    """What the user wrote last, and perhaps never committed."""
    expect(read(at.git + "/COMMIT_EDITMSG"), at.secret)


def read_the_journal(at):
    """The journal of the run says what the checks are and what others did."""
    for path in glob.glob(at.git + "/seawall/runs/*/*"):
        if os.path.isfile(path) and read(path):
            return
    refuse("there is none")


def write_the_journal(at):
    """Who writes the journal decides what is true."""
    def write(path):
        append(path, "attacked\n")

    any_of([lambda path=path: write(path) for path in glob.glob(at.git + "/seawall/runs/*/*")])


def guesses():
    """The places of other workers, as they follow from one's own: every number in it may be another."""
    parts = os.getcwd().split("/")
    for position, part in enumerate(parts):
        if part.isdigit():
            for other in range(32):
                yield "/".join([*parts[:position], str(other), *parts[position + 1:]]) + "/victim.txt"


def find_another_worker(at):
    """Reads what another worker, which is at work at the same time, has in hand."""
    places = [at.git + "/seawall/**/victim.txt", os.path.dirname(at.git) + "/../**/victim.txt", "/proc/[0-9]*/cwd/victim.txt"]
    deadline = time.monotonic() + at.patience
    while True:
        found = [path for place in places for path in glob.glob(place, recursive=True)]
        for path in [*found, *guesses()]:
            try:
                if at.secret.encode() in read(path):
                    return
            except OSError:
                pass
        if time.monotonic() > deadline:
            refuse("there is nobody")
        time.sleep(0.05)
