"""Readers on fixtures in the exact official layout, the sampler, the protocols' splits."""

from __future__ import annotations

import json
import random

import pytest
from PIL import Image

from vistune.errors import InputError
from vistune.promptlearn.datasets.base import Dataset, Item
from vistune.promptlearn.datasets.open import ELEVEN, NAMES, open_dataset
from vistune.promptlearn.datasets.split_files import LAYOUTS
from vistune.promptlearn.datasets.world import class_names
from vistune.promptlearn.experiments.protocols import halves, harmonic_mean, make_task
from vistune.promptlearn.experiments.sampler import flip_labels, sample_shots
from vistune.promptlearn.templates import BY_DATASET
from vistune.sample import Media


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)


def write_split(root, name, train=3):
    """Two classes, `train` training images each, as CoOp's files have them."""
    layout = LAYOUTS[name]
    folder = root / layout.folder
    content = {split: [] for split in ("train", "val", "test")}
    for split, count in (("train", train), ("val", 2), ("test", 1)):
        for label, one in enumerate(("annual_crop", "forest")):
            for i in range(count):
                relative = f"{one}/{split}_{i}.jpg"
                picture(folder / layout.images / relative)
                content[split].append([relative, label, one])
    (folder / layout.splits).write_text(json.dumps(content))
    return folder / layout.splits


def write_aircraft(root):
    folder = root / "fgvc_aircraft"
    for split in ("train", "val", "test"):
        picture(folder / "images" / f"{split}7.jpg")
        (folder / f"images_variant_{split}.txt").write_text(f"{split}7 A340-300\n")
    (folder / "variants.txt").write_text("707-320\nA340-300\n")
    return folder


def write_imagenet(root):
    (root / "imagenet").mkdir()
    (root / "imagenet" / "classnames.txt").write_text("n01440764 tench\nn01443537 goldfish\nn01484850 great white shark\n")
    for one in ("n01440764", "n01443537", "n01484850"):
        picture(root / "imagenet" / "images" / "train" / one / f"{one}_1.JPEG")
        picture(root / "imagenet" / "images" / "val" / one / "ILSVRC2012_val_00000001.JPEG")
        picture(root / "imagenet-sketch" / "images" / one / "sketch_0.JPEG")
    for one in ("n01443537", "n01484850"):
        picture(root / "imagenet-rendition" / "imagenet-r" / one / "art_0.jpg")
        picture(root / "imagenet-adversarial" / "imagenet-a" / one / "0.jpg")
    for label in range(3):
        picture(root / "imagenetv2" / "imagenetv2-matched-frequency-format-val" / str(label) / "a.jpeg")


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_nine_with_split_files(name, tmp_path):
    write_split(tmp_path, name)
    found = open_dataset(name, tmp_path)
    assert found.names == ("annual crop", "forest")
    assert [len(found.train), len(found.val), len(found.test)] == [6, 4, 2]
    assert found.train[3].label == 1
    assert found.train[3].media.path.endswith("forest/train_0.jpg")
    assert found.template == BY_DATASET[name]


def test_aircraft(tmp_path):
    write_aircraft(tmp_path)
    found = open_dataset("fgvc_aircraft", tmp_path)
    assert found.names == ("707-320", "A340-300")
    assert [item.label for item in (*found.train, *found.val, *found.test)] == [1, 1, 1]


def test_imagenet_and_its_variants(tmp_path):
    write_imagenet(tmp_path)
    full = open_dataset("imagenet", tmp_path)
    assert full.names == ("tench", "goldfish", "great white shark")
    assert [item.label for item in full.train] == [0, 1, 2]
    assert len(full.test) == 3
    for name, names in {
        "imagenetv2": full.names,
        "imagenet_sketch": full.names,
        "imagenet_a": full.names[1:],
        "imagenet_r": full.names[1:],
    }.items():
        variant = open_dataset(name, tmp_path)
        assert variant.names == names
        assert [item.label for item in variant.test] == list(range(len(names)))


def test_every_one_of_the_eleven_has_a_template():
    assert len(ELEVEN) == 11
    assert set(ELEVEN) == set(BY_DATASET)
    assert len(set(NAMES)) == len(NAMES)


def test_broken_data_sets_are_one_sentence_each(tmp_path):
    with pytest.raises(InputError, match=r"data set dtd: .*dtd lacks images, split_zhou_DescribableTextures.json"):
        open_dataset("dtd", tmp_path)
    with pytest.raises(InputError, match=r"data set fgvc_aircraft: .* lacks images, variants.txt, images_variant_train.txt"):
        open_dataset("fgvc_aircraft", tmp_path)
    with pytest.raises(InputError, match=r"'oxford_pet' is unknown \(did you mean 'oxford_pets'\?\)"):
        open_dataset("oxford_pet", tmp_path)
    with pytest.raises(InputError, match="give --root"):
        open_dataset("dtd")
    path = write_split(tmp_path, "dtd")
    good = json.loads(path.read_text())
    for change, message in (
        ({"train": []}, "'train' is empty"),
        ({"train": [["annual_crop/none.jpg", 0, "annual_crop"]]}, r"train\[0\]: image .*none.jpg does not exist"),
        ({"train": [["../../x.jpg", 0, "annual_crop"]]}, r"train\[0\]: image '../../x.jpg' leads out of"),
        ({"train": [["a", "0"]]}, r"train\[0\] is \['a', '0'\], expected \[image, label, class name\]"),
        ({"test": [["annual_crop/test_0.jpg", 0, "meadow"]]}, r"test\[0\]: label 0 is 'meadow' here and 'annual crop' before"),
        ({"val": 3}, "'val' is not a list"),
    ):
        path.write_text(json.dumps(good | change))
        with pytest.raises(InputError, match=message):
            open_dataset("dtd", tmp_path)
    path.write_text("[]")
    with pytest.raises(InputError, match="expected an object with the lists"):
        open_dataset("dtd", tmp_path)
    folder = write_aircraft(tmp_path)
    (folder / "images_variant_val.txt").write_text("val7 A340-500\n")
    with pytest.raises(InputError, match=r"line 1: variant 'A340-500' is not in variants.txt"):
        open_dataset("fgvc_aircraft", tmp_path)
    write_imagenet(tmp_path)
    picture(tmp_path / "imagenet" / "images" / "train" / "n999" / "x.JPEG")
    with pytest.raises(InputError, match=r"has the folder 'n999', which classnames.txt does not list"):
        open_dataset("imagenet", tmp_path)


def test_descriptions_of_unknown_classes_are_refused(tmp_path):
    write_split(tmp_path, "eurosat")
    file = tmp_path / "words.json"
    file.write_text(json.dumps({"forest": ["many trees."]}))
    assert open_dataset("eurosat", tmp_path, file).descriptions == {"forest": ("many trees.",)}
    file.write_text(json.dumps({"forrest": ["many trees."]}))
    with pytest.raises(InputError, match=r"class 'forrest' is unknown \(did you mean 'forest'\?\)"):
        open_dataset("eurosat", tmp_path, file)
    file.write_text(json.dumps({"forest": []}))
    with pytest.raises(InputError, match="expected an object from class names to lists of sentences"):
        open_dataset("eurosat", tmp_path, file)


def dataset(counts, val=5):
    items, validation = [], []
    for label, count in enumerate(counts):
        items += [Item(Media.file("image", f"{label}/{i}.jpg"), label) for i in range(count)]
        validation += [Item(Media.file("image", f"{label}/v{i}.jpg"), label) for i in range(val)]
    names = tuple(f"class {i}" for i in range(len(counts)))
    return Dataset("made", names, "a photo of a {}.", tuple(items), tuple(validation), tuple(items))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sampler_is_one_generator_in_first_appearance_order(seed):
    """The published procedure, step by step: seed once, then sample each class for training, then each for validation."""
    made = dataset([20, 7, 9])
    shuffled = list(made.train)
    random.Random(9).shuffle(shuffled)
    made = Dataset("made", made.names, made.template, tuple(shuffled), made.val, made.test)
    random.seed(seed)
    order = list(dict.fromkeys(item.label for item in shuffled))
    expected = [item for label in order for item in random.sample([x for x in shuffled if x.label == label], 5)]
    expected_val = [item for label in range(3) for item in random.sample([x for x in made.val if x.label == label], 4)]
    train, val = sample_shots(made, 5, seed)
    assert list(train) == expected
    assert list(val) == expected_val


def test_sampler_gives_these_images():
    train, _ = sample_shots(dataset([6, 6]), 2, 1)
    assert [item.media.path for item in train] == ["0/1.jpg", "0/4.jpg", "1/0.jpg", "1/2.jpg"]


def test_too_few_images_is_one_sentence():
    with pytest.raises(InputError, match="data set made: class 'class 1' has 3 train images, and 4 shots were asked for"):
        sample_shots(dataset([6, 3]), 4, 1)
    with pytest.raises(InputError, match="data set made has no train images"):
        sample_shots(Dataset("made", ("a",), "{}", (), (), ()), 1, 1)


def test_base_to_novel_samples_all_classes_first_then_filters():
    made = dataset([9] * 5)
    task = make_task("base2novel", made, 4, 2)
    base, novel = halves(made)
    assert (len(base), len(novel)) == (3, 2)
    assert (base.split, novel.split) == ("seen", "unseen")
    sampled, _ = sample_shots(made, 4, 2)
    assert [item.media for item in task.train] == [item.media for item in sampled if item.label < 3]
    assert [(test.name, len(test.items)) for test in task.tests] == [("base", 27), ("novel", 18)]
    assert {item.label for item in task.tests[1].items} == {0, 1}
    with pytest.raises(InputError, match="base-to-novel needs two"):
        make_task("base2novel", dataset([9]), 1, 1)


def test_an_empty_split_is_one_sentence():
    made = dataset([4, 4])
    half = Dataset("made", made.names, made.template, made.train, made.val, made.train[:4])
    with pytest.raises(InputError, match=r"data set made has no image of the classes class 1 \.\.\.: the split is empty"):
        make_task("base2novel", half, 1, 1)


@pytest.mark.parametrize("kind", ["symmetric", "asymmetric"])
def test_flipped_labels_are_wrong_in_the_share_asked_for(kind):
    items = dataset([20, 20, 20]).train
    noisy = flip_labels(items, 3, 0.25, kind, 0)
    wrong = [(a.label, b.label) for a, b in zip(items, noisy, strict=True) if a.label != b.label]
    assert len(wrong) == 15
    assert [a.media for a in items] == [b.media for b in noisy]
    if kind == "asymmetric":
        assert all(b == (a + 1) % 3 for a, b in wrong)


def test_harmonic_mean_of_the_averages():
    assert round(harmonic_mean(69.34, 74.22), 2) == 71.70
    assert harmonic_mean(0, 0) == 0


def test_cross_dataset_starts_from_imagenet():
    with pytest.raises(InputError, match="protocol cross_dataset starts from imagenet"):
        make_task("cross_dataset", dataset([4, 4]), 1, 1)


def test_world_halves_share_every_colour_thing_and_size_and_no_name():
    names = class_names("world")
    assert len(set(names)) == len(names) == 24
    first, second = names[:12], names[12:]
    for place in range(3):
        assert {name.split()[place] for name in first} == {name.split()[place] for name in second}
    assert not set(first) & set(second)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["world", "world_outline"])
def test_world_has_every_class_in_every_split(name):
    found = open_dataset(name)
    for items, count in ((found.train, 20), (found.val, 4), (found.test, 20)):
        assert [sum(item.label == label for item in items) for label in range(24)] == [count] * 24
    assert set(found.descriptions) == set(found.structures) == set(found.names)
