"""The fuzzer, `make fuzz`: hostile inputs on every surface that reads what strangers hand over.

__main__.py   the command: processes, time limits, counts by kind, what was found
oracles.py    what must never happen: code, addresses, other people's files, endless waits, anything but one sentence
changes.py    how a valid input becomes a hostile one: trees, bytes, tensors
surfaces/     one file a surface: small valid inputs that it makes itself, and what must hold of whatever is read

A surface is a file with a class `Surface`; adding one is adding a file, and a share in `running.SHARES`. Every input follows
from (seed, number), so that `python -m tests.fuzz --seed 3 --only 1234` brings any of them back.
"""
