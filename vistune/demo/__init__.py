"""`vistune demo`: the whole loop on what ships with the package — align, tune, measure against controls, report."""
