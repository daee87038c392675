#!/usr/bin/env python3
"""Fills fuzz/corpus/<target> from testdata: `python3 fuzz/seed.py`. Needs Python's standard library only.

Seeds are named by their content, so that running it again adds nothing.
"""

import hashlib
import pathlib
import struct

ROOT = pathlib.Path(__file__).resolve().parent.parent
FRAMES = ROOT / "testdata" / "frames"
CORPUS = ROOT / "fuzz" / "corpus"

# The layers of testdata/frames whose bytes a target takes as they are.
TARGETS = {
    "netbios_name": ["name"],
    "nbdgm": ["nbdgm"],
    "local": ["local"],
    "messenger": ["messenger"],
    "nbns": ["nbns"],
    "netlogon": ["netlogon"],
    "mailslot_write": ["smb"],
    "browser": ["browser", "lanman"],
    "nbss": ["nbss"],
    "smb_session": ["smb_session"],
    "rap": ["rap", "rap_parameters"],
}


def seed(target, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("seed-" + hashlib.sha1(data).hexdigest()[:16])).write_bytes(data)


def frames(layer):
    return [bytes.fromhex(path.read_text()) for path in sorted((FRAMES / layer).glob("*.hex"))]


def captured(path):
    """UDP payloads of port 138 in a classic little-endian pcap of Ethernet frames."""
    data = path.read_bytes()
    if data[:4] != b"\xd4\xc3\xb2\xa1":
        return
    at = 24
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        if frame[12:14] != b"\x08\x00" or frame[23] != 17 or struct.unpack_from(">H", frame, 20)[0] & 0x3FFF:
            continue
        udp = frame[14 + (frame[14] & 15) * 4 :]
        if struct.unpack_from(">H", udp, 2)[0] == 138:
            yield udp[8 : struct.unpack_from(">H", udp, 4)[0]]


def packets(datagrams):
    """The input of `ingest`: each datagram behind its length."""
    return b"".join(struct.pack(">H", len(datagram)) + datagram for datagram in datagrams)


def fragments(datagram, at, repeat_names=False):
    """A direct datagram without scope in two: `at` bytes of names and user data in the first."""
    header, names, stream = datagram[:14], datagram[14:82], datagram[14:]

    def part(flags, offset, data):
        return bytes([header[0], header[1] & ~3 | flags]) + header[2:10] + struct.pack(">HH", len(data), offset) + data

    later = (at - 68, names + stream[at:]) if repeat_names else (at, stream[at:])
    return [part(3, 0, stream[:at]), part(0, *later)]


def timed(parts):
    """The input of `datagram_machine`: peer, time that passes, length, datagram."""
    return b"".join(struct.pack(">BBH", 1, 10, len(part)) + part for part in parts)


def dialogue(case):
    """The inputs of a conformance case, each behind what it is, the seconds that pass, and its length."""
    words = {"connected": 0, "end": 0xFF, "refused": 0xFD, "silence": 0}
    for path in sorted(case.glob("*-input")):
        word = path.read_text().split("\n")[0]
        data = b"" if word in words else bytes.fromhex(word)
        yield struct.pack(">BBH", words.get(word, 0), 30 if word == "silence" else 0, len(data)) + data


def heard(what, data):
    """One input of a session's machine."""
    return struct.pack(">BBH", what, 0, len(data)) + data


def rap_answers(like, mid, parameters, data, parts=1):
    """An answer on \\PIPE\\LANMAN in so many messages, each with the header of the message `like` and this MID."""
    step = -(-len(data) // parts)
    for at in range(0, len(data), max(step, 1)):
        now, piece = (parameters if at == 0 else b""), data[at : at + step]
        of_data = 56 + len(now) + -len(now) % 4
        words = struct.pack(
            "<9HBB", len(parameters), len(data), 0, len(now), 56, len(parameters) - len(now), len(piece), of_data, at, 0, 0
        )
        block = b"\0" + now + bytes(of_data - 56 - len(now)) + piece
        smb = like[:30] + struct.pack("<HB", mid, 10) + words + struct.pack("<H", len(block)) + block
        yield struct.pack(">I", len(smb)) + smb


def calls():
    """Dialogues of `session_client` in which a list is asked for besides, on a session that is up."""
    case = ROOT / "testdata" / "conformance" / "session_client" / "good-445"
    told = [bytes.fromhex(path.read_text().split("\n")[0]) for path in sorted(case.glob("*-input"))[1:]]
    like = told[-1][4:36]
    up = heard(0, b"") + b"".join(heard(0, data) for data in told[:-1])
    written = lambda mid: heard(0, told[-1][:34] + struct.pack("<H", mid) + told[-1][36:])
    for parameters in frames("rap_parameters"):
        for data in frames("rap_data"):
            # Asked for before the session is there: before the write, which has the next MID.
            for parts in (1, 2, 5):
                answer = b"".join(heard(0, part) for part in rap_answers(like, 5, parameters, data, parts))
                yield bytes([1 | 64]) + up + answer + written(6)
            # And afterwards, of a session that is warm.
            call = struct.pack(">BBH", 0xFA, 0, 0xFFFF)
            answer = b"".join(heard(0, part) for part in rap_answers(like, 6, parameters, data, 2))
            yield bytes([1]) + up + written(5) + call + answer


def main():
    for target, layers in TARGETS.items():
        for layer in layers:
            for data in frames(layer):
                seed(target, data)
    datagrams = frames("nbdgm")
    for path in sorted((ROOT / "testdata" / "pcap").glob("*.pcap*")):
        seed("capture_file", path.read_bytes())
        found = list(captured(path))
        datagrams += found
        for datagram in found:
            seed("nbdgm", datagram)
            if datagram[82:86] == b"\xffSMB":
                seed("mailslot_write", datagram[82:])
    for datagram in datagrams:
        if len(datagram) >= 2048:
            continue
        seed("ingest", packets([datagram]))
        if datagram[0] in (0x10, 0x11, 0x12) and len(datagram) > 90 and datagram[47:49] == b"\x00 ":
            whole = fragments(datagram, 75)
            seed("datagram_machine", timed(whole))
            seed("datagram_machine", timed(reversed(whole)))
            seed("datagram_machine", timed(whole + whole))
            seed("datagram_machine", timed(fragments(datagram, 80, repeat_names=True)))
            seed("ingest", packets(whole))
    seed("ingest", packets(datagram for datagram in datagrams if len(datagram) < 2048))
    # A browser of each kind hears every frame, at the name that such frames are sent to.
    names = {0x01: 1, 0x02: 0, 0x08: 2, 0x09: 1, 0x0A: 6, 0x0B: 2, 0x0C: 5, 0x0D: 6, 0x0E: 6, 0x0F: 2}
    told = [(names.get(data[0], 0), data) for data in frames("browser")] + [(8, data) for data in frames("lanman")]
    for kind in range(16):
        parts = (struct.pack(">BBBB", 6, 0x10 | to, 40, len(data)) + data for to, data in told if len(data) < 256)
        seed("browser_machine", bytes([kind]) + b"\x06\x00\xff\x00" + b"".join(parts))
    for parameters in frames("rap_parameters"):
        for data in frames("rap_data"):
            head = bytes([min(len(parameters), 15), min((len(data) + 3) // 4, 255)])
            seed("netserverenum_client", head + parameters[:15] + data[:1020])
    # What the sessions' machines are told in the conformance cases, over each port and with both kinds of slots.
    for machine in ("session_server", "session_client"):
        for case in sorted((ROOT / "testdata" / "conformance" / machine).iterdir()):
            setup = (case / "setup").read_text().splitlines()
            first = {"port 139": [0, 2], "ports 139 445": [0, 16], "ports 445": [1, 17, 33]}.get(setup[0], [1, 3])
            for kind in first:
                seed(machine, bytes([kind]) + b"".join(dialogue(case)))
    for data in calls():
        seed("session_client", data)
    # Operations of the registry: each number in turn, with small and large arguments.
    for salt in range(8):
        seed("registry", bytes((7 * i * i + salt * i + (i >> 3)) & 0xFF for i in range(240)))
    for target in sorted(path.name for path in CORPUS.iterdir()):
        print(target, len(list((CORPUS / target).iterdir())))


if __name__ == "__main__":
    main()
