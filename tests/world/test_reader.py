"""The world as a reader: lazy, indexed, refused by name when a key is wrong."""

import pytest

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.world.instructions import CONVERSATION_WEIGHTS


def test_a_spec_is_enough():
    samples = read("world")
    assert len(samples) == 10_000 and samples[0].meta["split"] == "train" and samples[0].meta["task"] == "instructions"
    assert samples[9_999] == samples[-1]
    with pytest.raises(IndexError):
        samples[10_000]


def test_index_and_iteration_agree():
    samples = read("world:?task=identity&split=test&size=5")
    assert [sample.id for sample in samples] == [samples[index].id for index in range(5)]
    assert list(samples) == [samples[index] for index in range(5)]
    assert all(sample.answers[0] == sample.turns[-1].text for sample in samples)


def test_seeds_and_splits_do_not_overlap():
    ids = [
        sample.id
        for seed in (0, 1)
        for split in ("train", "test")
        for sample in read(f"world:?seed={seed}&split={split}&size=4")
    ]
    assert len(set(ids)) == len(ids)


def test_mix_takes_the_tasks_in_turn():
    tasks = [sample.meta["task"] for sample in read(f"world:?task=mix&size={len(CONVERSATION_WEIGHTS)}")]
    assert tasks == list(CONVERSATION_WEIGHTS)


def test_pixels_and_domain_reach_the_picture():
    (large,), (noisy,) = read("world:?size=1&pixels=96"), read("world:?size=1&domain=noise")
    assert large.media[0].data.shape == (96, 96, 3) and noisy.media[0].data.shape == (64, 64, 3)
    assert noisy.media != read("world:?size=1")[0].media


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("world:?task=identitty", "did you mean 'identity'"),
        ("world:?splti=test", "no key 'splti'"),
        ("world:?split=tset", "one of 'train'"),
        ("world:?size=0", "at least 1"),
        ("world:?seed=-1", "zero or above"),
        ("world:?turns=0", "at least 1"),
    ],
)
def test_wrong_keys_and_values_are_refused_by_name(spec, message):
    with pytest.raises(InputError, match=message):
        read(spec)
