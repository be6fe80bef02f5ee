"""Tokens as Stanford's PTBTokenizer 3.4.1 gave them to the same strings; with Java, on thousands of fresh ones."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from vistune.evals.metrics.java import jar
from vistune.evals.metrics.ptb import DROPPED, lex, tokenize


@pytest.mark.parametrize(
    ("caption", "tokens"),
    [
        ("A man's well-known (red) dog.", "a man 's well-known -lrb- red -rrb- dog"),
        ("cannot gonna don't ISN'T y'all 'tis o'clock", "can not gon na do n't is n't y' all 't is o'clock"),
        ("rock'n'roll '80s 90's 5'10\"", "rock 'n' roll '80s 90 's 5 10"),
        ("U.S. etc. Mr. St. no. 5 no. five fig. 3", "u.s. etc. mr. st. no. 5 no five fig. 3"),
        ("vitamin C. The dog", "vitamin c the dog"),
        ("vitamin C. Dogs", "vitamin c. dogs"),
        ("$5.00 1,000 50% #1 50¢ €20 £3", "$ 5.00 1,000 50 % # 1 50 cents $ 20 # 3"),
        ("10:30 5:00pm 12-31-2013 1/2 mid-1980s", "10:30 5:00 pm 12-31-2013 1/2 mid-1980s"),
        ("2 1/2 feet", "2\u00a01/2 feet"),  # one token
        ("wait!! what?! no! -- ... ;", "wait !! what ?! no"),
        ("dog!cat dog.cat dog,cat dog/cat dog&cat AT&T", "dog!cat dog.cat dog cat dog/cat dog & cat at&t"),
        ("dog., dog.", "dog. dog"),
        ("“red” ‘blue’ don’t dog’s –", "red blue do n't dog 's"),
        (":) <3 <b> {x} [y]", ":-rrb- < 3 <b> -lcb- x -rcb- -lsb- y -rsb-"),
        ("http://x.com/y a@b.com @me #tag", "http://x.com/y a@b.com @me #tag"),
        ("café 日本 x² 🙂 ok", "café 日本 x ² ok"),
        ("a\nb\tc", "a b c"),
        ("", ""),
        (" . ", ""),
    ],
)
def test_tokens(caption: str, tokens: str) -> None:
    assert tokenize(caption) == (tokens.split(" ") if tokens else [])


def test_punctuation_is_dropped_after_the_fact() -> None:
    assert lex("dog, (cat)!") == ["dog", ",", "-lrb-", "cat", "-rrb-", "!"]


def test_every_character_moves_on() -> None:
    # No character, however odd, may stop the lexer or be taken twice.
    for letter in map(chr, [*range(0x100), *range(0x100, 0x3100, 37), 0xFFFF, 0x1F600, 0x10FFFF]):
        assert "".join(lex(f"xx {letter} yy"))[:2] == "xx"


def test_long_words_end() -> None:
    for unit in ("a+", "a,", "ab", "1.", "a@", "<a ", "''", "a!!"):
        assert isinstance(tokenize(unit * 500), list)


PIECES = """
a dog cat man's dogs' the red well-known t-shirt U.S. u.s. Mr. etc. No. st. 5 10 3.5 1,000 $5 50% 1/2 10:30 2nd 1980s '80s don't
can't won't it's we're I'll you've cannot gonna 'em 'n' rock'n'roll o'clock O'Brien y'all ma'am "red" 'red' (red) [x] {y} and/or
b/w AT&T R&B x&y C++ C# -- --- - ... .. . , ; : ! ? !! ?! & * + = < > :) ;) @home #tag dog.com www.x.com a@b.com é café
naïve 日本
“red” ‘red’ — – … ½ ° 5'10" ' " # _ a_b A.B. a.m. 5pm 5:30pm e.g. vs. Ph.D.
12/25/99 555-1234 20x30 3-d tv's dog, dog. dog; dog?
-dog dog- --dog 's 2-year-old 1st yes/no 1-2 -5 +5 $ % | / <br> jan. Mass. inc.
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java")
def test_equal_to_java_on_random_strings(tmp_path: Path) -> None:
    pytest.importorskip("pycocoevalcap", reason="needs the extra 'captions'")
    generator = random.Random(0)
    captions = [
        " ".join(generator.choices(PIECES.split(), k=generator.randint(1, 8)))
        if number % 3
        else "".join(generator.choices("abdstn AN.',-/!?0159$%()\":;", k=12))
        for number in range(3000)
    ]
    # A fixed line between captions: the Java program looks for numbers across line ends.
    given = tmp_path / "captions.txt"
    given.write_text("".join(f"{caption}\nz\n" for caption in captions), encoding="utf-8")
    path = jar("tokenizer/stanford-corenlp-3.4.1.jar", "the reference tokeniser")
    program = [
        "java",
        "-Dfile.encoding=UTF-8",
        "-cp",
        str(path),
        "edu.stanford.nlp.process.PTBTokenizer",
        "-preserveLines",
        "-lowerCase",
    ]
    printed = subprocess.run([*program, str(given)], capture_output=True, check=True).stdout.decode().split("\n")[::2]
    theirs = [[token for token in line.rstrip().split(" ") if token and token not in DROPPED] for line in printed]
    different = [caption for caption, tokens in zip(captions, theirs, strict=False) if tokenize(caption) != tokens]
    assert len(theirs) >= len(captions)
    assert different == []
