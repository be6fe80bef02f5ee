"""Films: the truth is what the pixels show, answers follow from it by an independent reading, controls take it away."""

import re

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.world.films.film import FRAMES, make_film
from vistune.world.senses import sense_sample

from ..oracle import COLOURS, NUMBERS

N = 25
EXPRESSION = re.compile(rf'[Tt]he (?:({COLOURS}) )?(word "\w+"|\w+)')


@pytest.fixture(scope="module")
def films():
    return [make_film(seed, "test") for seed in range(N)]


def named(thing, noun):
    return (thing.kind == "word" and noun == f'word "{thing.name}"') or (thing.kind != "word" and noun == thing.name)


def mentioned(question, film):
    """The things that a question names, each of which must be one of the film's and no other."""
    found = []
    for colour, noun in EXPRESSION.findall(question):
        fits = [thing for thing in film.objects if named(thing, noun) and colour in ("", thing.colour)]
        if fits:
            assert len(fits) == 1, (question, noun)
            found.append(fits[0])
    return found


def centre(box):
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def test_a_film_follows_from_its_seed(films):
    again = make_film(3, "test")
    assert np.array_equal(again.frames, films[3].frames) and again.facts() == films[3].facts()
    assert films[3].frames.shape == (FRAMES, 64, 64, 3) and films[3].frames.dtype == np.uint8
    with pytest.raises(InputError, match="1 to 3 things"):
        make_film(0, count=4)


def test_things_are_where_the_truth_says_and_nowhere_else(films):
    """Where a thing is, pixels leave the background; of things that stay, the rest of the picture stays but for its grain."""
    for film in films:
        for time, frame in enumerate(film.frames):
            outside = np.ones(frame.shape[:2], bool)
            for thing in film.objects:
                if thing.boxes[time] is None:
                    continue
                x1, y1, x2, y2 = (round(64 * edge) for edge in thing.boxes[time])
                inside = frame[y1:y2, x1:x2].astype(int)
                assert inside.max(axis=(0, 1)).max() - inside.min(axis=(0, 1)).min() > 60
                outside[max(y1 - 3, 0) : y2 + 3, max(x1 - 3, 0) : x2 + 3] = False
            if all(thing.boxes[0] == thing.boxes[time] for thing in film.objects):
                assert np.abs(frame[outside].astype(int) - film.frames[0][outside]).max() < 40


def test_deeds_are_what_the_tracks_show(films):
    for film in films:
        for thing in film.objects:
            seen = [box is not None for box in thing.boxes]
            first, last = thing.boxes[0], thing.boxes[-1]
            if thing.action == "appear":
                assert seen == [time >= thing.frame for time in range(FRAMES)]
            elif thing.action == "disappear":
                assert seen == [time < thing.frame for time in range(FRAMES)]
            elif thing.action == "move":
                dx, dy = (b - a for a, b in zip(centre(first), centre(last), strict=True))
                went = ("right" if dx > 0 else "left") if abs(dx) > abs(dy) else ("down" if dy > 0 else "up")
                assert went == thing.direction and max(abs(dx), abs(dy)) > 0.15
            else:
                assert all(seen) and first == last


def test_those_who_meet_touch_at_the_end_and_nobody_else_does():
    met = 0
    for seed in range(40):
        film = make_film(seed, "train", count=3)
        for i, a in enumerate(film.objects):
            for j, b in enumerate(film.objects[:i]):
                if a.boxes[-1] is None or b.boxes[-1] is None:
                    continue
                ax1, ay1, ax2, ay2 = a.boxes[-1]
                bx1, by1, bx2, by2 = b.boxes[-1]
                gap = 64 * max(ax1 - bx2, bx1 - ax2, ay1 - by2, by1 - ay2)
                assert (a.meets == j) == (b.meets == i)
                assert (gap <= 5) if a.meets == j else (gap >= 2)
                met += a.meets == j
    assert met > 5


def test_a_changed_colour_is_painted(films):
    changes = 0
    for film in films:
        for thing in film.objects:
            if thing.action == "change":
                changes += 1
                x1, y1, x2, y2 = (round(64 * edge) for edge in thing.boxes[0])
                first, last = (film.frames[time][y1:y2, x1:x2].astype(int) for time in (thing.frame - 1, thing.frame))
                assert np.abs(first - last).max() > 60
    assert changes


def asked(task):
    for seed in range(N):
        sample = sense_sample(task, seed, "test")
        (number,) = sample.meta["scenes"]
        film = make_film(number, "test", count=3 if task in ("film_order", "film_meeting") else None)
        assert np.array_equal(sample.media[0].data, film.frames)
        yield sample.turns[0].text.strip(), sample.answers[0], film


def test_movement_and_action_are_the_things():
    for question, answer, film in asked("film_movement"):
        assert mentioned(question, film)[0].direction == answer
    for question, answer, film in asked("film_action"):
        assert mentioned(question, film)[0].action == answer


def test_colours_before_and_after():
    for question, answer, film in asked("film_colour"):
        (thing,) = mentioned(question, film)[:1]
        late = re.search("end|turn|afterwards", question)
        assert answer == (thing.changed if late else thing.colour)


def test_what_comes_first():
    for question, answer, film in asked("film_order"):
        pair = mentioned(question, film)
        first = min(pair, key=lambda thing: thing.frame)
        assert len(pair) == 2 and named(first, answer)


def test_meetings():
    for question, answer, film in asked("film_meeting"):
        a, b = mentioned(question, film)
        assert (answer == "yes") == (a.meets is not None and film.objects[a.meets] is b)


def test_counts():
    for question, answer, film in asked("film_count"):
        time = -1 if re.search("end|last", question) else 0
        assert answer == NUMBERS[sum(thing.boxes[time] is not None for thing in film.objects)]


def test_captions_tell_everything():
    for _, answer, film in asked("film_caption"):
        for thing in film.objects:
            assert f"{thing.colour} " in answer and thing.name in answer
            assert (
                thing.direction is None
                or {"up": "upwards", "down": "downwards"}.get(thing.direction, thing.direction) in answer
            )


def test_controls_keep_the_question_and_take_the_answer():
    for seed in range(5):
        plain, one, shuffled = (
            sense_sample("film_movement", seed, "test", control) for control in ("none", "one_frame", "shuffled_frames")
        )
        assert plain.turns == one.turns == shuffled.turns and plain.answers == one.answers
        frames = one.media[0].data
        assert (frames == frames[0]).all()
        was, now = plain.media[0].data, shuffled.media[0].data
        assert not np.array_equal(was, now)
        assert sorted(frame.tobytes() for frame in was) == sorted(frame.tobytes() for frame in now)
