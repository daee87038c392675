#!/usr/bin/env python3
"""Runs a Python script once for each line of standard input, which has its arguments, in one process. Each line of its
output follows the arguments that it was run with: `ARGUMENTS: OUTPUT`."""
import contextlib, io, runpy, shlex, sys

script = sys.argv[1]
for line in map(str.strip, sys.stdin):
    said = io.StringIO()
    sys.argv = [script, *shlex.split(line)]
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        runpy.run_path(script, run_name='__main__')
    for output in said.getvalue().splitlines():
        print('%s: %s' % (line, output), flush=True)
