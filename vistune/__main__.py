"""`python -m vistune` is the `vistune` command."""

from vistune.cli import main

main()
