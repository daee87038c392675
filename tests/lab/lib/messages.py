#!/usr/bin/env python3
"""Messages whose every byte is known.

  messages.py make DIRECTORY SIZE...    files DIRECTORY/SIZE
  messages.py check LOG SIZE...         a log of `mailslot listen --json` has these, in this order and no others
  messages.py text LOG TEXT COUNT:SIZE...   it has COUNT messages of SIZE bytes that repeat TEXT, in any order

Further words, `field=value`, are fields that every message's JSON object has; with `field~value` they begin so.
"""
import collections, hashlib, json, os, re, sys


def message(size):
    blocks = (hashlib.sha256(b'%d/%d' % (size, n)).digest() for n in range(size // 32 + 1))
    return b''.join(blocks)[:size]


def digest(data):
    return '%d bytes, SHA-256 %s' % (len(data), hashlib.sha256(data).hexdigest())


def main():
    command, place, *rest = sys.argv[1:]
    says = [re.fullmatch('([a-z]+)([=~])(.*)', word) for word in rest]
    says = [found.groups() for found in says if found]
    rest = [word for word in rest if not re.match('[a-z]+[=~]', word)]
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
                for field, how, value in says:
                    has = str(heard.get(field))
                    if not (has == value if how == '=' else has.startswith(value)):
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
