#!/usr/bin/env python3
"""Messages whose every byte is known.

  messages.py make DIRECTORY SIZE...    files DIRECTORY/SIZE
  messages.py check LOG SIZE...         a log of `mailslot listen --json` has these, in this order and no others
  messages.py text LOG TEXT COUNT:SIZE...   it has COUNT messages of SIZE bytes that repeat TEXT, in any order

Further words, `field=value`, are how the fields of every message's JSON object begin.
"""
import collections, hashlib, json, os, sys


def message(size):
    blocks = (hashlib.sha256(b'%d/%d' % (size, n)).digest() for n in range(size // 32 + 1))
    return b''.join(blocks)[:size]


def digest(data):
    return '%d bytes, SHA-256 %s' % (len(data), hashlib.sha256(data).hexdigest())


def main():
    command, place, *rest = sys.argv[1:]
    says = dict(word.split('=', 1) for word in rest if '=' in word)
    rest = [word for word in rest if '=' not in word]
    if command == 'make':
        for size in map(int, rest):
            with open(os.path.join(place, str(size)), 'wb') as file:
                file.write(message(size))
        return
    got = []
    with open(place, errors='replace') as log:
        for line in log:
            if line.startswith('{'):
                heard = json.loads(line)
                for field, value in says.items():
                    if not str(heard.get(field)).startswith(value):
                        sys.exit('%s is %r, not %r: %.200s' % (field, heard.get(field), value, line))
                got.append(digest(bytes.fromhex(heard['data'])))
    if command == 'check':
        wanted = [digest(message(int(size))) for size in rest]
    else:
        text, *cases = rest
        wanted = []
        for count, size in (map(int, case.split(':')) for case in cases):
            data = (text.encode() * size)[:size]
            wanted += [digest(data)] * count
        got, wanted = sorted(got), sorted(wanted)
    if got != wanted:
        lost, more = collections.Counter(wanted) - collections.Counter(got), collections.Counter(got) - collections.Counter(wanted)
        sys.exit('%d of %d messages; missing: %s; more: %s' % (len(got), len(wanted), list(lost.elements()), list(more.elements())))
    for line in got:
        print(line)


main()
