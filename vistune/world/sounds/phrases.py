"""Words for what is heard: `low bell`, `high voice saying "six"`, and whole sounds in order."""

from __future__ import annotations

from vistune.world.expressions import indefinite
from vistune.world.sounds.sound import Sound, SoundEvent

PLACES = ("first", "second", "third", "fourth")


def noun(event: SoundEvent) -> str:
    """`bell`, or `voice saying "six"`."""
    return f'voice saying "{event.name}"' if event.kind == "spoken" else event.name


def phrase(event: SoundEvent, side: bool = False) -> str:
    """`low bell`, or `low bell on the left`."""
    return f"{event.pitch} {noun(event)}" + (f" on the {event.side}" if side else "")


def transcript(sound: Sound, side: bool = False) -> str:
    """`a low bell, then a high voice saying "six"`, in order of time."""
    return ", then ".join(indefinite(phrase(event, side)) for event in sound.events)
