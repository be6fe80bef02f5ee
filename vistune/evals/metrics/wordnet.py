"""WordNet (Fellbaum, 1998) for the metrics that compare words, read by `nltk` from where it is installed.

nltk's own data comes first, then the files of Debian's package `wordnet-base`, or of the folder that the environment variable
`WNSEARCHDIR` names, as for WordNet's own programs. Nothing is downloaded here.
"""

from __future__ import annotations

import io
import os
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vistune.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

DEBIAN = "/usr/share/wordnet"


def open_wordnet(purpose: str) -> WordNetCorpusReader:
    """The WordNet of this machine; `purpose` is what a message says it is for.

    Raises `MissingExtraError` without nltk, and `InputError` naming the ways to install WordNet where there is none.
    """
    try:
        found = installed()
    except ImportError as error:
        raise MissingExtraError("nltk", "wordnet", purpose) from error
    if found is None:
        raise InputError(
            f"{purpose} needs WordNet: run  python -m nltk.downloader wordnet  once, install Debian's wordnet-base, or name the"
            " folder of its files in WNSEARCHDIR"
        )
    return found


@lru_cache(1)
def installed() -> WordNetCorpusReader | None:
    """nltk's WordNet, else that of the system, `None` without either. Raises `ImportError` without nltk."""
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError:
        folder = Path(os.environ.get("WNSEARCHDIR", DEBIAN))
        return _in_folder(folder) if (folder / "index.noun").is_file() else None
    found: WordNetCorpusReader = wordnet
    return found


def _in_folder(folder: Path) -> WordNetCorpusReader:
    """nltk's reader over a folder of WordNet's own files, which hold the names of the lexicographers' files nowhere."""
    from nltk.corpus.reader.wordnet import WordNetCorpusReader
    from nltk.data import FileSystemPathPointer, path

    class Files(WordNetCorpusReader):  # type: ignore[misc, unused-ignore]
        def open(self, file: str) -> Any:
            if file == "lexnames" and not (folder / file).is_file():
                return io.StringIO("\n".join(f"{number:02d} file{number} 0" for number in range(45)))
            return super().open(file)

        def map_wn(self, version: str = "wordnet") -> None:
            """The map to other releases, which needs a second WordNet, serves other languages than English."""

    if str(folder) not in path:
        path.append(str(folder))  # nltk reads beneath the folders of this list only
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that other languages are not there
        return Files(FileSystemPathPointer(str(folder)), None)
