"""A process of the user that has nothing to do with any of it: what an attack must neither reach nor harm.

Says what it is as one line of JSON. Then for every line that it reads, says how often it was reached.
"""

import array
import ctypes
import json
import os
import select
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import call, check, libc  # noqa: E402



def remove(key, mark):
    """What outlives the process; also run on its own when an attack has killed the bystander: `--remove KEY MARK`."""
    libc.shmctl(libc.shmget(key, 0, 0), 0, None)
    libc.msgctl(libc.msgget(key, 0), 0, None)
    libc.semctl(libc.semget(key, 0, 0), 0, 0)
    libc.mq_unlink(("/" + mark).encode())


if sys.argv[1] == "--remove":
    remove(int(sys.argv[2]), sys.argv[3])
    sys.exit()

home, secret, mark, set_user_id = sys.argv[1:]
held = ctypes.create_string_buffer(secret.encode())
descriptor = os.open(home + "/.ssh/id_ed25519", os.O_RDONLY)
libc.prctl(0x59616D61, ctypes.c_ulong(2**64 - 1), 0, 0, 0)  # whatever Yama says, it is the sandbox that is tested


def listening(family, kind, address, *options):
    made = socket.socket(family, kind)
    for level, option, value in options:
        made.setsockopt(level, option, value)
    made.bind(address)
    if kind == socket.SOCK_STREAM:
        made.listen(64)
    made.setblocking(False)
    return made


def own_address():
    """An address of the host besides loopback, when it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def handle_of(path):
    handle = (ctypes.c_uint32 * 34)(128)
    mount = ctypes.c_int()
    try:
        call("name_to_handle_at", -100, ctypes.c_char_p(path.encode()), handle, ctypes.byref(mount), 0)
    except OSError:
        return "", 0
    return bytes(handle)[8:8 + handle[0]].hex(), handle[1]


def share(key):
    """A segment, a queue and a semaphore, each with the secret where it can hold one."""
    segment = check(libc.shmget(key, 4096, 0o1600))
    libc.shmat.restype = ctypes.c_void_p
    ctypes.memmove(libc.shmat(segment, None, 0), held, len(held))
    queue = check(libc.msgget(key, 0o1600))
    message = ctypes.create_string_buffer((1).to_bytes(8, "little") + secret.encode())
    for _ in range(8):
        check(libc.msgsnd(queue, message, len(secret), 0))
    semaphores = check(libc.semget(key, 1, 0o1600))
    return segment, queue, semaphores


def post(name):
    few_and_short = (ctypes.c_long * 8)(0, 4, 64)
    queue = check(libc.mq_open(name.encode(), os.O_CREAT | os.O_RDWR, 0o600, few_and_short))
    for _ in range(4):
        check(libc.mq_send(queue, secret.encode(), len(secret), 0))


def keep_key(name):
    user, set_permissions = -4, 5
    text = secret.encode()
    key = call("add_key", ctypes.c_char_p(b"user"), ctypes.c_char_p(name.encode()), ctypes.c_char_p(text), len(text), user)
    # Whoever holds the user's keyring in its session, as logins do, may read what is in it.
    call("keyctl", set_permissions, key, 0x3F3F0000)


key = int.from_bytes(os.urandom(3), "little") | 0x40000000
segment, queue, semaphores = share(key)
post("/" + mark)
user_key = "seawall-bystander-" + mark
keep_key(user_key)
shared = "/dev/shm/" + mark
with open(shared, "x") as file:
    file.write(secret)

paths = [home + "/bystander.sock", home + "/bystander.datagrams"]
tcp = listening(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0), (socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16))
udp = listening(socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 0))
stream = listening(socket.AF_UNIX, socket.SOCK_STREAM, paths[0])
datagrams = listening(socket.AF_UNIX, socket.SOCK_DGRAM, paths[1])
abstract = listening(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + mark)
abstract_datagrams = listening(socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + mark + "-datagrams")
listeners = [tcp, udp, stream, datagrams, abstract, abstract_datagrams]
handle, handle_type = handle_of(home + "/.ssh/id_ed25519")
interfaces = [name for _, name in socket.if_nameindex() if name != "lo"]

print(json.dumps({
    "pid": os.getpid(), "descriptor": descriptor, "address_of_secret": ctypes.addressof(held), "handle": handle,
    "handle_type": handle_type, "key": key, "queue": "/" + mark, "user_key": user_key, "shared": shared,
    "tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1], "address": own_address(), "stream": paths[0],
    "datagrams": paths[1], "abstract": mark, "interface": interfaces[0] if interfaces else "lo", "services": paths[:1],
    "set_user_id": set_user_id, "processes": 1500,
}), flush=True)

reached = 0


def answer(listener):
    """Takes what came; a connection to the stream is given the secret as an open file."""
    global reached
    reached += 1
    if listener.type == socket.SOCK_DGRAM:
        listener.recv(1 << 16)
        return
    connection, _ = listener.accept()
    with connection:
        if listener is stream:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
            try:
                connection.sendmsg([b"x"], [rights])
            except OSError:
                pass  # it did not wait for it


while True:
    ready, _, _ = select.select([sys.stdin, *listeners], [], [])
    waiting = [listener for listener in ready if listener is not sys.stdin]
    for listener in waiting:
        answer(listener)
    if sys.stdin in ready and not waiting:
        if not sys.stdin.readline():
            break
        print(reached, flush=True)

remove(key, mark)
call("keyctl", 9, call("keyctl", 10, -4, ctypes.c_char_p(b"user"), ctypes.c_char_p(user_key.encode()), 0), -4)
os.unlink(shared)
