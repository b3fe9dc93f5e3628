"""Attacks on there being enough for everybody."""

import os
import time

from common import any_of


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


def fork_more_than_a_tight_profile_allows(at):
    at.bystander["processes"] = 200
    fork_many(at)


def memory_of_one_process(at):
    """Touched, so that it is really taken."""
    held = bytearray(400 << 20)
    held[::4096] = b"x" * len(held[::4096])


def memory_of_many_processes(at):
    """No process has much, all have more than one may; each says by its exit status whether it got its share."""
    children = []
    for _ in range(8):
        child = os.fork()
        if child == 0:
            try:
                held = bytearray(50 << 20)
                held[::4096] = b"x" * len(held[::4096])
                time.sleep(1)
            except MemoryError:
                os._exit(1)
            os._exit(0)
        children.append(child)
    if any(os.waitpid(child, 0)[1] != 0 for child in children):
        raise PermissionError(1, "not every process got its share")


def fill(path, mebibytes):
    try:
        with open(path, "wb", buffering=0) as file:
            for _ in range(mebibytes):
                if file.write(b"x" * (1 << 20)) != 1 << 20:
                    raise OSError(28, "no space is left")
    finally:
        if os.path.exists(path):
            os.unlink(path)


def fill_the_disk(at):
    """Through every place that a worker may fill."""
    any_of([lambda place=place: fill(place + "/filled-" + at.mark, 64) for place in (
        os.environ.get("TMPDIR", "/var/tmp"), os.environ["HOME"], "/tmp", "/dev/shm", "/run")])


def fill_the_disk_with_empty_files(at):
    """Names cost memory too."""
    place = os.path.join(os.environ.get("TMPDIR", at.home), "many-" + at.mark)
    os.mkdir(place)
    made = 0
    try:
        for made in range(30000):
            os.mknod(f"{place}/{made}")
    finally:
        for number in range(made):
            os.unlink(f"{place}/{number}")
        os.rmdir(place) if not os.listdir(place) else None
