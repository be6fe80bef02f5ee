"""Pages: ink stands where words are said to, bars are as high as their values, crosses where boxes are ticked."""

import re
from itertools import pairwise

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.sample import Region
from vistune.world.pages.elements import TOP_VALUE
from vistune.world.pages.page import HEIGHT, WIDTH, make_page
from vistune.world.senses import sense_sample

N = 25


@pytest.fixture(scope="module")
def pages():
    return [make_page(seed, "test") for seed in range(N)]


def cut(page, box):
    x1, y1, x2, y2 = (round(value) for value in (box[0] * WIDTH, box[1] * HEIGHT, box[2] * WIDTH, box[3] * HEIGHT))
    return page.image[y1:y2, x1:x2].astype(int)


def test_a_page_follows_from_its_seed(pages):
    again = make_page(2, "test")
    assert np.array_equal(again.image, pages[2].image) and again.facts() == pages[2].facts()
    assert pages[2].image.shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(InputError, match="seed >= 0"):
        make_page(-1)


def test_ink_is_where_the_words_are_and_elements_do_not_overlap(pages):
    for page in pages:
        for element in page.elements:
            for word in element.words:
                assert np.ptp(cut(page, word.box)) > 80, word
                assert element.box[1] - 0.05 <= word.box[1] and word.box[3] <= element.box[3] + 0.02
        tops = [element.box for element in page.elements]
        assert all(above[3] <= below[1] for above, below in pairwise(tops))
        assert tops[-1][3] <= 1


def test_bars_are_as_high_as_their_values():
    checked = 0
    for seed in range(40):
        page = make_page(seed, "train")
        chart = page.element("chart")
        if chart is None:
            continue
        names = {word.text: word.box for word in chart.words}
        heights = {}
        for name, _, _ in chart.cells:
            left = round(names[name][0] * WIDTH)
            column = page.image[round(chart.box[1] * HEIGHT) : round(names[name][1] * HEIGHT) - 3, left + 14].astype(int)
            heights[name] = int((np.ptp(column, axis=1) > 60).sum())  # a bar is coloured, lines and paper are grey
        for name, _, value in chart.cells:
            assert abs(heights[name] - int(value) * 68 / TOP_VALUE) < 5
            checked += 1
    assert checked > 30


def test_crosses_stand_in_ticked_boxes(pages):
    for page in pages:
        form = page.element("form")
        if form is None:
            continue
        boxes = {word.text: word.box for word in form.words}
        for label, ticked in form.ticks:
            x1, y1 = round(boxes[label][0] * WIDTH), round(boxes[label][1] * HEIGHT)
            inside = page.image[y1 - 2 : y1 + 12, x1 - 17 : x1 - 10].astype(int)
            middle = inside[3:10]
            assert (np.ptp(middle) > 80) == ticked


def asked(task):
    for seed in range(N):
        sample = sense_sample(task, seed, "test")
        yield sample, sample.turns[0].text.strip(), make_page(sample.meta["scenes"][0], "test")


def quoted(question):
    return re.findall(r'"(\w+)"', question)


def test_reading_answers_are_what_the_page_says():
    for sample, _, page in asked("page_heading"):
        assert sample.answers[0].split() == [word.text for word in page.element("heading").words]
    for sample, question, page in asked("page_paragraph"):
        texts = [word.text for word in page.element("paragraph").words]
        (word,) = quoted(question)
        assert texts.count(word) == 1 and texts[texts.index(word) + 1] == sample.answers[0]
    for sample, question, page in asked("page_form"):
        assert {label: value for label, _, value in page.element("form").cells}[quoted(question)[0]] == sample.answers[0]
    for sample, question, page in asked("page_tick"):
        assert sample.answers[0] == ("yes" if dict(page.element("form").ticks)[quoted(question)[0]] else "no")


def test_cells_stand_at_the_crossing_of_their_row_and_column():
    for sample, question, page in asked("page_table"):
        table = page.element("table")
        column, row = quoted(question) if "is the" in question else quoted(question)[::-1]
        at = {word.text: word.box for word in table.words if word.text in (row, column)}
        (cell,) = [
            word
            for word in table.words
            if abs(word.box[1] - at[row][1]) < 0.02 and abs(word.box[0] - at[column][0]) < 0.02 and word.text.isdigit()
        ]
        assert cell.text == sample.answers[0]


def test_charts_and_boxes():
    for sample, question, page in asked("page_chart"):
        values = {name: int(value) for name, _, value in page.element("chart").cells}
        if named := quoted(question):
            assert str(values[named[0]]) == sample.answers[0]
        else:
            best = max if re.search("highest|greatest", question) else min
            assert best(values, key=values.get) == sample.answers[0]
    for sample, question, page in asked("page_box"):
        (part,) = sample.turns[1].parts
        assert isinstance(part, Region) and part.box == page.element(part.label).box and part.label in question
