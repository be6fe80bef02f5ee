"""The command line, one file a group. Functions here parse and print; every piece of work is one call into the package."""
