#!/usr/bin/env python3
"""Many SMB sessions that write to one mailslot, by a dialogue that shares no code with ours, on port 445.

  load.py at-once ADDRESS SLOT SESSIONS SIZE          all are open before each writes one message and waits for its answer
  load.py writers ADDRESS SLOT WRITERS SECONDS|xCOUNT SIZE
                                                      each writes COUNT messages, or for SECONDS, one after the other
  load.py cut ADDRESS SLOT                            a process for each step of the dialogue, killed by signal 9 behind it
                                                      and in the middle of what follows
  load.py check SIZE FILE                             reads messages of SIZE bytes from standard input (`listen --raw`) to
                                                      its end: what came, what came twice or damaged, as JSON into FILE

The writers say as JSON how many messages were answered with success, and with what else.
"""
import asyncio, collections, json, os, resource, signal, struct, sys, time

NAMES = ('negotiate', 'session setup', 'tree connect', 'write')


def message(number, size):
    return (struct.pack('<Q', number) + bytes(range(256)) * (size // 256 + 1))[:size]


def packet(command, words, data, tid=0, uid=0, mid=1):
    header = b'\xffSMB' + struct.pack('<BIBHH8sHHHHH', command, 0, 0x18, 0x4001, 0, b'', 0, tid, 0xfeff, uid, mid)
    smb = header + bytes([len(words) // 2]) + words + struct.pack('<H', len(data)) + data
    return struct.pack('>I', len(smb)) + smb


def requests(slot, tid=0, uid=0):
    """The dialogue up to the tree, each request made of the ids so far."""
    yield lambda uid, tid: packet(0x72, b'', b'\x02NT LM 0.12\0')
    yield lambda uid, tid: packet(0x73, struct.pack('<BBHHHHIHHII', 0xff, 0, 0, 65535, 50, 1, 0, 0, 0, 0, 0), b'\0\0load\0load\0')
    yield lambda uid, tid: packet(0x75, struct.pack('<BBHHH', 0xff, 0, 0, 0, 1), b'\0\\\\SERVER\\IPC$\0IPC\0', tid, uid)


def write(slot, data, tid, uid):
    name = b'\\MAILSLOT\\' + slot.encode() + b'\0'
    at = 32 + 1 + 34 + 2 + len(name)
    words = struct.pack('<HHHHBBHIHHHHHBB3H', 0, len(data), 2, 0, 0, 0, 0, 0, 0, 0, 0, len(data), at, 3, 0, 1, 0, 1)
    return packet(0x25, words, name + data, tid, uid)


class Session:
    async def open(self, address, slot, steps=3):
        self.slot, self.uid, self.tid = slot, 0, 0
        self.reader, self.writer = await asyncio.open_connection(address, 445)
        for make in list(requests(slot))[:steps]:
            await self.ask(make(self.uid, self.tid))
        return self

    async def ask(self, request):
        self.writer.write(request)
        await self.writer.drain()
        length, = struct.unpack('>I', await self.reader.readexactly(4))
        answer = await self.reader.readexactly(length)
        status, = struct.unpack_from('<I', answer, 5)
        self.tid, _, self.uid = struct.unpack_from('<HHH', answer, 24)
        return status

    async def write(self, number, size):
        return await self.ask(write(self.slot, message(number, size), self.tid, self.uid))

    def close(self):
        self.writer.close()


async def at_once(address, slot, sessions, size):
    told = collections.Counter()
    opened = await asyncio.gather(*(Session().open(address, slot) for _ in range(sessions)))

    async def one(number, session):
        told['%08x' % await session.write(number, size)] += 1
    await asyncio.gather(*(one(*pair) for pair in enumerate(opened)))
    print(json.dumps({'sessions': len(opened), 'told': told}))
    for session in opened:
        session.close()


async def writers(address, slot, count, until, size):
    told, began = collections.Counter(), time.monotonic()
    turns = int(until[1:]) if until[0] == 'x' else None

    async def one(writer):
        session, turn = await Session().open(address, slot), 0
        while turn < turns if turns else time.monotonic() - began < float(until):
            told['%08x' % await session.write(writer << 32 | turn, size)] += 1
            turn += 1
        session.close()
    await asyncio.gather(*(one(writer) for writer in range(count)))
    print(json.dumps({'writers': count, 'seconds': round(time.monotonic() - began, 1), 'told': told}))


def cut(address, slot):
    async def die(steps, part):
        session = await Session().open(address, slot, steps)
        makes = list(requests(slot)) + [lambda uid, tid: write(slot, message(0, 20000), tid, uid)]
        request = makes[steps](session.uid, session.tid)
        session.writer.write(request[:len(request) * part // 4])
        await session.writer.drain()
        os.kill(os.getpid(), signal.SIGKILL)
    ended = collections.Counter()
    for steps in range(4):
        for part in range(4):
            child = os.fork()
            if child == 0:
                try:
                    asyncio.run(die(steps, part))
                finally:
                    os._exit(1)
            _, status = os.waitpid(child, 0)
            assert os.WIFSIGNALED(status), NAMES[steps]
            ended[NAMES[steps]] += 1
    print(json.dumps({'killed': ended}))


def check(size, place):
    seen, twice, damaged = set(), 0, 0
    pattern = message(0, size)[8:]
    while True:
        data = sys.stdin.buffer.read(size)
        if not data:
            break
        number = struct.unpack_from('<Q', data)[0] if len(data) == size else None
        if number is None or data[8:] != pattern:
            damaged += 1
        elif number in seen:
            twice += 1
        else:
            seen.add(number)
    with open(place, 'w') as file:
        json.dump({'came': len(seen), 'twice': twice, 'damaged': damaged}, file)
        file.write('\n')


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    command, *rest = sys.argv[1:]
    if command == 'at-once':
        asyncio.run(at_once(rest[0], rest[1], int(rest[2]), int(rest[3])))
    elif command == 'writers':
        asyncio.run(writers(rest[0], rest[1], int(rest[2]), rest[3], int(rest[4])))
    elif command == 'cut':
        cut(*rest)
    else:
        check(int(rest[0]), rest[1])


main()
