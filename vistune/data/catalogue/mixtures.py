"""Mixtures of other data sets that papers train on under one name."""

from __future__ import annotations

from typing import Any

from vistune.data.catalogue.entry import Entry


def _mixed(*data: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"kind": "mixture", "sources": [{"data": one} for one in data], **settings}


def _expressions(name: str, **arguments: Any) -> dict[str, Any]:
    """MDETR's annotations beside all of COCO's pictures under their 2017 names, as GPT4RoI lays them out."""
    path = f"{{root}}/mdetr_annotations/finetune_{name}_train.json"
    return {
        "kind": "mdetr",
        "path": path,
        "images": "{root}/coco_imgs",
        "file_name": "{original_id:012d}.jpg",
        "clip": True,
        **arguments,
    }


_GPT4ROI_1 = _mixed(
    {
        "kind": "coco",
        "path": "{root}/coco_det/annotations/instances_train2017.json",
        "images": "{root}/coco_det/train2017",
        "ask": "describe",
        "clip": True,
    },
    _expressions("refcoco"),
    _expressions("refcoco+"),
)
_GPT4ROI_2 = _mixed(
    _expressions("refcocog"),
    {
        "kind": "mdetr",
        "path": "{root}/mdetr_annotations/final_flickr_mergedGT_train.json",
        "images": "{root}/flickr30k-images",
        "label": "phrase",
        "clip": True,
    },
    {
        "kind": "mdetr",
        "path": "{root}/visual_genome/train.json",
        "images": "{root}/visual_genome/vg_all",
        "label": "own",
        "clip": True,
    },
    {"kind": "conversations", "path": "{root}/llava/llava_instruct_150k.json", "images": "{root}/coco_imgs"},
    {"kind": "vcr", "path": "{root}/vcr/train.jsonl", "images": "{root}/vcr/vcr1images"},
    {"kind": "vcr", "path": "{root}/vcr/train.jsonl", "images": "{root}/vcr/vcr1images", "task": "rationale"},
)


def _llava(name: str) -> dict[str, Any]:
    return {"kind": "conversations", "path": f"{{root}}/llava/{name}.json", "images": "{root}/coco/train2017"}


def _karpathy(name: str) -> dict[str, Any]:
    path = f"{{root}}/coco/annotations/coco_karpathy_{name}.json"
    return {"kind": "captions", "path": path, "images": "{root}/coco", "question": "Describe the picture."}


_VISUAL: list[dict[str, Any]] = [
    {"data": _llava("detail_23k")},
    {"data": _llava("complex_reasoning_77k")},
    {"data": _llava("conversation_58k")},
    {
        "data": {
            "kind": "qa",
            "path": "{root}/aokvqa/annotations/aokvqa_v1p0_train.json",
            "images": "{root}/coco/train2017",
            "image": "{image_id:012d}.jpg",
            "choices": "choices",
            "answer": "correct_choice_idx",
            "answer_is": "index",
            "id": "question_id",
            "meta": {"rationales": "rationales"},
        },
        "cap": 5000,
    },
    {
        "data": {
            "kind": "captions",
            "path": "{root}/cc_sbu_align/filter_cap.json",
            "at": "annotations",
            "images": "{root}/cc_sbu_align/image",
            "medium": "{image_id}.jpg",
            "question": "Describe this image in detail.",
            "id": "image_id",
        }
    },
    {"data": _mixed(_karpathy("train_converted"), _karpathy("val")), "cap": 512},
    {
        "data": {
            "kind": "qa",
            "path": "{root}/OCR_VQA/downloaded_dataset.json",
            "images": "{root}/OCR_VQA/image",
            "image": "filename",
            "zipped": ["questions", "answers"],
            "question": "questions",
            "answer": "answers",
        },
        "cap": 512,
    },
]
_LANGUAGE: list[dict[str, Any]] = [
    {
        "data": {
            "kind": "instructions",
            "path": "{root}/dolly/databricks-dolly-15k.jsonl",
            "input": "context?",
            "output": "response",
        }
    },
    {"data": {"kind": "instructions", "path": "{root}/alpaca_gpt4/alpaca_gpt4_data.json"}},
    {
        "data": {
            "kind": "conversations",
            "path": "{root}/baize/quora_chat_data.json",
            "turns": "input",
            "divided": {"[|Human|]": "user", "[|AI|]": "assistant"},
        }
    },
]


def _named(name: str, part: str) -> dict[str, Any]:
    return {"kind": "catalogue", "name": name, "path": f"{{root}}/{name}", "part": part}


ENTRIES = (
    Entry(
        name="gpt4roi",
        title="GPT4RoI instruction data",
        task="grounding",
        modality="image, boxes",
        size="stage 1: COCO, RefCOCO, RefCOCO+; stage 2: RefCOCOg, Flickr30k Entities, Visual Genome, LLaVA-150K, VCR",
        licence="by source",
        obtain="repository of GPT4RoI (jshilong/GPT4RoI), section Data, which names each file's place; MDETR's annotations",
        citation="Zhang et al., GPT4RoI: Instruction Tuning LLM on Region-of-Interest, 2023",
        reader=_GPT4ROI_1,
        parts={"stage1": {}, "stage2": {"sources": _GPT4ROI_2["sources"]}},
        note="our own questions in the place of the repository's; LLaVA's conversations without a detector's boxes; "
        "VCR as answers and as reasons",
    ),
    Entry(
        name="multimodal_gpt",
        title="MultiModal-GPT training mixture",
        task="instruction",
        modality="image, text",
        size="LLaVA-150K, MiniGPT-4, 5,000 of A-OKVQA, 512 each of COCO Captions and OCR-VQA; texts of three sets",
        licence="by source",
        obtain="repository of MultiModal-GPT (open-mmlab/Multimodal-GPT), Prepare datasets, which names each file's place",
        citation="Gong et al., MultiModal-GPT: A Vision and Language Model for Dialogue with Humans, 2023",
        reader={"kind": "mixture", "sources": [*_VISUAL, *_LANGUAGE]},
        parts={"all": {}, "visual": {"sources": _VISUAL}, "language": {"sources": _LANGUAGE}},
        note="the released code trains on a batch with and a batch without pictures a step; texts: Dolly, Alpaca-GPT4, Baize; "
        "A-OKVQA's answers are taught without their reasons, which are kept beside them",
    ),
    Entry(
        name="mgvlid",
        title="MGVLID (ChatSpot)",
        task="grounding",
        modality="image, boxes",
        size="1.2M image-text, 100K region-text samples by paper",
        licence="by source",
        obtain="no files of its own: public sets of the kinds that the paper names, each in a folder of its catalogue name",
        citation="Zhao et al., ChatSpot: Bootstrapping Multimodal LLMs via Precise Referring Instruction Tuning, 2023",
        reader=_mixed(
            _named("coco_captions", "train2017"),
            _named("vqa_v2", "train2014"),
            _named("ok_vqa", "train2014"),
            _named("llava_instruct_150k", "llava_instruct_150k"),
            _named("coco", "train2017"),
            _named("refcocog", "train"),
            _named("visual_genome_regions", "all"),
        ),
        layout="unconfirmed",
        note="which sets the paper joins, and in which numbers, stands in no file, and its dialogues by GPT-4 are not public",
    ),
)
