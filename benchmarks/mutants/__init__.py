"""How many small mistakes in the source the tests notice: `make mutants`."""
