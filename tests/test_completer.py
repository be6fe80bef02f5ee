from __future__ import annotations

from dataclasses import replace

from vistune.completer import Message, Request
from vistune.sample import Media


def request(text: str = "Is it red?", image: bytes = b"pixels") -> Request:
    return Request((Message("user", text, (Media("image", data=image),)),))


def test_key_covers_everything_that_can_change_the_reply() -> None:
    base = request()
    changed = [
        request(text="Is it blue?"),
        request(image=b"other pixels"),
        replace(base, max_tokens=3),
        replace(base, temperature=0.5),
        replace(base, seed=1),
        replace(base, stop=("\n",)),
    ]
    keys = {base.key(), *(other.key() for other in changed)}
    assert len(keys) == 1 + len(changed)


def test_key_ignores_who_asked() -> None:
    assert replace(request(), id="record 7").key() == request().key()
