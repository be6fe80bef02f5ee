"""Phrases and the regions they mean."""

from __future__ import annotations

from typing import Any

from vistune.data.catalogue.entry import Entry


def _refer(folder: str, file: str) -> dict[str, Any]:
    """The layout of the REFER toolkit: a pickle of references beside COCO's `instances.json`."""
    images = "saiapr_tc-12" if folder == "refclef" else "mscoco/images/train2014"
    return {"kind": "refer", "path": f"{{root}}/{folder}/{file}", "images": f"{{root}}/images/{images}", "split": "{part}"}


_REFER = "repository REFER (lichengunc/refer); images: COCO train2014"


def _pointqa(files: str, split: str) -> dict[str, Any]:
    """One split of a part of PointQA: the questions of the images in the split's list.

    LocalQA asks one question of several objects, of which each point carries its own answer: `all_ans` is the set of the
    answers, in no order. LookTwiceQA is asked by the supercategory, as the paper reports it.
    """
    folder, name = files.split("/")
    listed = f"{{root}}/Datasets/{folder}/{name}_{split}_imgs.json"
    if name == "spatial":
        listed = f"{{root}}/Datasets/{folder}/{split}_imgs_vs.json"
    kinds: dict[str, dict[str, Any]] = {
        "localqa": {"zipped": ["all_objs", "points"], "point": ["points.x", "points.y"], "answer": "points.ans"},
        "looktwiceqa": {"question": "super_question", "answer": "ans", "meta": {"object": "obj_type"}},
        "intentqa": {"question": "question", "answer": "ans", "images": "{root}/VOCdevkit/VOC2012/JPEGImages"},
        "spatial": {"answer": "answer"},
    }
    path = f"{{root}}/Datasets/{folder}/{name}_{'vqa' if name == 'intentqa' else 'dataset'}.json"
    return {"question": "question", **kinds[name], "path": path, "among": {"@key": listed}}


ENTRIES = (
    Entry(
        name="refcoco",
        title="RefCOCO",
        task="grounding",
        modality="image, boxes, masks",
        size="19,994 images, 50,000 objects, 142,209 expressions",
        licence="Apache-2.0 (toolkit); images from COCO",
        obtain=_REFER,
        citation="Yu et al., Modeling Context in Referring Expressions, ECCV 2016",
        reader=_refer("refcoco", "refs(unc).p"),
        parts={"train": {}, "val": {}, "testA": {}, "testB": {}},
    ),
    Entry(
        name="refcoco_plus",
        title="RefCOCO+",
        task="grounding",
        modality="image, boxes, masks",
        size="19,992 images, 49,856 objects, 141,564 expressions without words of place",
        licence="Apache-2.0 (toolkit); images from COCO",
        obtain=_REFER,
        citation="Yu et al., Modeling Context in Referring Expressions, ECCV 2016",
        reader=_refer("refcoco+", "refs(unc).p"),
        parts={"train": {}, "val": {}, "testA": {}, "testB": {}},
    ),
    Entry(
        name="refcocog",
        title="RefCOCOg (UMD split)",
        task="grounding",
        modality="image, boxes, masks",
        size="25,799 images, 49,822 objects, 95,010 expressions",
        licence="Apache-2.0 (toolkit); images from COCO",
        obtain=_REFER,
        citation="Mao et al., Generation and Comprehension of Unambiguous Object Descriptions, CVPR 2016",
        reader=_refer("refcocog", "refs(umd).p"),
        parts={"train": {}, "val": {}, "test": {}},
    ),
    Entry(
        name="referit",
        title="ReferIt (RefCLEF)",
        task="grounding",
        modality="image, boxes, masks",
        size="19,894 photographs, 96,654 regions, 130,525 expressions",
        licence="Apache-2.0 (toolkit); images of SAIAPR TC-12 for research",
        obtain="repository REFER (lichengunc/refer); images: SAIAPR TC-12",
        citation="Kazemzadeh et al., ReferItGame, EMNLP 2014",
        reader=_refer("refclef", "refs(unc).p"),
        parts={"train": {}, "val": {}, "testA": {}, "testB": {}, "testC": {}},
    ),
    Entry(
        name="flickr30k_entities",
        title="Flickr30k Entities",
        task="grounding",
        modality="image, boxes",
        size="31,783 images, 275,775 boxes, 513,644 phrases",
        licence="non-commercial research; images under Flickr's terms",
        obtain="repository of Flickr30k Entities (BryanPlummer/flickr30k_entities); images: Flickr30k",
        citation="Plummer et al., Flickr30k Entities, ICCV 2015",
        reader={
            "kind": "flickr30k_entities",
            "path": "{root}",
            "images": "{root}/flickr30k-images",
            "split": "{root}/{part}.txt",
        },
        parts={"train": {}, "val": {}, "test": {}},
    ),
    Entry(
        name="visual_genome_regions",
        title="Visual Genome, region descriptions",
        task="grounding",
        modality="image, boxes",
        size="108,077 images, 5.4M region descriptions",
        licence="CC BY 4.0",
        obtain="Visual Genome's page, version 1.2 or 1.4 (region_descriptions.json, image_data.json, images)",
        citation="Krishna et al., Visual Genome, IJCV 2017",
        reader={
            "kind": "visual_genome",
            "part": "regions",
            "path": "{root}/region_descriptions.json",
            "image_data": "{root}/image_data.json",
            "images": "{root}",
            "clip": True,
        },
    ),
    Entry(
        name="shikra_rd",
        title="Shikra-RD",
        task="grounding",
        modality="image, boxes in the text",
        size="5,922 question-answer pairs on Flickr30k Entities",
        licence="CC BY-NC 4.0, and OpenAI's terms of use",
        obtain="repository of Shikra (shikras/shikra), annotations",
        citation="Chen et al., Shikra: Unleashing Multimodal LLM's Referential Dialogue Magic, 2023",
        reader={"kind": "shikra", "path": "{root}/{part}.jsonl", "images": "{root}/flickr30k-images"},
        parts={"GPT4GEN_BoxCoT_train": {}, "GPT4GEN_RD_BoxCoT_train": {}, "GPT4GEN_BoxCoT_test": {}},
    ),
    Entry(
        name="as_1b",
        title="AS-1B (human-verified AS-Core)",
        task="grounding",
        modality="image, boxes",
        size="1.2B regions by machine; AS-Core: 1M region questions, 400K captions",
        licence="Apache-2.0; images of SA-1B under its own terms",
        obtain="Hugging Face OpenGVLab/AS-Core and OpenGVLab/AS-100M; images: SA-1B",
        citation="Wang et al., The All-Seeing Project, ICLR 2024",
        reader={
            "kind": "regions",
            "path": "{root}/{part}.jsonl",
            "images": "{root}/SA-1B",
            "box": "bbox",
            "width": "width",
            "height": "height",
            "question": "question",
            "answer": "answer",
        },
        parts={"region_vqa_1m": {}, "region_caption_400k": {"question": "=Describe this region.", "answer": "caption"}},
    ),
    Entry(
        name="pointqa",
        title="PointQA",
        task="question answering",
        modality="image, points in the question",
        size="LocalQA: 57,628 questions on 25,000 images; LookTwiceQA: 57,405; IntentQA: 48,143 points; General: not released",
        licence="not stated; images from Visual Genome (CC BY 4.0) and PASCAL VOC",
        obtain="repository of PointQA (princetonvisualai/pointingqa); images: Visual Genome, PASCAL VOC",
        citation="Mani et al., Point and Ask: Incorporating Pointing into Visual Question Answering, 2020",
        reader={
            "kind": "regions",
            "each": "value",
            "images": "{root}/VG_100K",
            "image": "{@key}.jpg",
            "point": ["point.x", "point.y"],
        },
        parts={
            **{f"local_{split}": _pointqa("LocalQA/localqa", split) for split in ("train", "val", "testdev", "testfinal")},
            **{f"looktwice_{split}": _pointqa("LookTwiceQA/looktwiceqa", split) for split in ("train", "val", "test")},
            **{f"intent_{split}": _pointqa("IntentQA/intentqa", split) for split in ("train", "val", "testdev", "testfinal")},
            **{f"spatial_{split}": _pointqa("VerbalSpatial/spatial", split) for split in ("train", "val", "test")},
        },
        note="put the images of VG_100K and VG_100K_2 into one folder; IntentQA shows those of VOC",
    ),
)
