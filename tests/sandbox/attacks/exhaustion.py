"""Attacks on there being enough for everybody."""

import mmap
import os
import time


def fork_many(at):
    """More than the profile allows, and few enough for a machine to bear when nothing stops it."""
    children = []
    try:
        for _ in range(at.bystander["processes"]):
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, 9)
        for child in children:
            os.waitpid(child, 0)


def one_enormous_file(at):
    """Sparse, so that it costs nothing where nothing stops it."""
    path = os.path.join(os.environ.get("TMPDIR", at.work), "enormous")
    with open(path, "wb") as file:
        try:
            file.truncate(3 << 30)
        finally:
            file.close()
            os.unlink(path)


def many_open_files(at):
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(5000)]
    for number in held:
        os.close(number)
