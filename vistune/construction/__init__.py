"""Construction of instruction data: operators over records, completers, parsers of replies, published pipelines.

An operator is `Iterable[Record] -> Iterator[Record]`; a pipeline is a list of them (`vistune/construction/pipelines/`).
"""
