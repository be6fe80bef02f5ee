"""One metric a file: pure functions from predictions and references to a `Result`."""
