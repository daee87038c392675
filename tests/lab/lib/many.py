#!/usr/bin/env python3
"""Runs a Python script once for each line of standard input, which has its arguments, many lines at a time: one that
waits keeps no other. Each line of its output follows the arguments that it was run with, `ARGUMENTS: OUTPUT`, in the order
of the input."""
import contextlib, io, multiprocessing, runpy, shlex, sys

script = sys.argv[1]


def run(line):
    said = io.StringIO()
    sys.argv = [script, *shlex.split(line)]
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        runpy.run_path(script, run_name='__main__')
    return ['%s: %s' % (line, output) for output in said.getvalue().splitlines()]


lines = list(map(str.strip, sys.stdin))
with multiprocessing.get_context('fork').Pool(min(16, len(lines))) as pool:
    for outputs in pool.imap(run, lines):
        for output in outputs:
            print(output, flush=True)
