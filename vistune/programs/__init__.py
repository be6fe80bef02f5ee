"""Models with tools: a model proposes a call, the call is checked against the tool's signature, run with a time limit, and what
came of it (words or a new medium) is fed back.

session.py     media by name, and where each came from
tool.py        a tool: a plain callable, its signature the schema; `tools/` holds those on offer
running.py     one call: bound, run within limits, its result checked
hands.py       all that a program does to the outside goes through here: written down, and read back in a replay
formats/       how a call is spoken: ReAct, function calls, a plan in JSON
methods/       the programs, one a file
runner.py      a program over many samples: traces, predictions and media in one folder, resumable
"""
