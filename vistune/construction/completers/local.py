"""`local`: a Hugging Face model in this process, with or without eyes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from vistune.completer import Message, Reply, Request
from vistune.construction.guards import PICTURE
from vistune.construction.running.account import Account, Earlier
from vistune.construction.running.store import ReplyStore, local_identity, reply_key
from vistune.data.media.image import load_image
from vistune.errors import InputError, why


class Local:
    """A causal language model, or an image-text-to-text model when `vision` is set.

    model:   a hub id or a directory
    vision:  read the requests' pictures (the model's processor prepares them)
    batch:   requests generated together; a causal model is padded on the left
    device:  where it runs
    dtype:   of its weights
    store:   replies already generated are not generated again
    """

    def __init__(
        self,
        model: str,
        vision: bool = False,
        batch: int = 8,
        device: str = "cpu",
        dtype: str = "auto",
        store: ReplyStore | None = None,
    ) -> None:
        import transformers

        from vistune.model.weights.decoding import own_settings

        self.account = Account()
        self.identity = local_identity(model, vision)
        self._who = f"local {model}"
        if store is not None:
            self.account.earlier = Earlier(*store.spent(self._who))
        self._store, self._batch, self._vision = store, batch, vision
        loader = transformers.AutoModelForImageTextToText if vision else transformers.AutoModelForCausalLM
        reader = transformers.AutoProcessor if vision else transformers.AutoTokenizer
        try:
            self._reader = reader.from_pretrained(model, padding_side="left", trust_remote_code=False)
            self._model: Any = loader.from_pretrained(model, dtype=dtype, trust_remote_code=False).to(device).eval()
        except Exception as error:  # libraries fail in as many ways as a directory can be broken in
            raise InputError(f"cannot load model {model!r}: {why(error)}") from error
        own_settings(self._model, model)
        tokenizer = self._reader.tokenizer if vision else self._reader
        if tokenizer.chat_template is None:
            raise InputError(f"model {model!r} has no chat template: choose an instruction-tuned model")
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        self._tokenizer = tokenizer

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Answer in order, a batch at a time; only requests with equal sampling arguments share a batch."""
        source = iter(requests)
        while chunk := list(islice(source, self._batch)):
            faults = [self._unreadable(request) for request in chunk]
            keys = [fault or reply_key(request, self.identity) for fault, request in zip(faults, chunk, strict=True)]
            stored: dict[str, Reply | None] = {key: self._store.get(key) if self._store is not None else None for key in keys}
            stored |= {fault: Reply("", error=f"{PICTURE}: {fault}") for fault in faults if fault}
            # By key, so that equal requests of a batch are generated once.
            missing = {key: request for key, request in zip(keys, chunk, strict=True) if stored[key] is None}
            failed = sum(map(bool, faults))
            self.account.asked += len(chunk)
            self.account.failed += failed
            self.account.cached += len(chunk) - len(missing) - failed
            for group in _alike(missing):
                for key, reply in zip(group, self._generate(list(group.values())), strict=True):
                    stored[key] = reply
                    if self._store is not None:
                        self._store.put(key, reply, self._who)
            for key in keys:
                found = stored[key]
                assert found is not None, "every request was either stored or generated"
                yield found

    def _unreadable(self, request: Request) -> str:
        """What is wrong with the request's pictures, so that one broken file does not end a batch and a run."""
        try:
            for image in (image for message in request.messages for image in message.images):
                if self._vision:
                    load_image(image)
        except InputError as error:
            return str(error)
        return ""

    def _generate(self, requests: list[Request]) -> list[Reply]:
        import torch

        from vistune.model.language.finite import watched

        first = requests[0]
        if first.tools:
            raise InputError("a local model speaks of calls in text: give --format react_gpt4tools or json_plan")
        inputs = self._reader.apply_chat_template(
            [[self._message(message) for message in request.messages] for request in requests],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            padding=True,
        ).to(self._model.device)
        torch.manual_seed(first.seed)
        sampling: dict[str, Any] = (
            {"do_sample": True, "temperature": first.temperature} if first.temperature else {"do_sample": False}
        )
        if first.stop:
            sampling |= {"stop_strings": list(first.stop), "tokenizer": self._tokenizer}
        with torch.inference_mode(), watched(self._model):
            output = self._model.generate(
                **inputs, max_new_tokens=first.max_tokens, pad_token_id=self._tokenizer.pad_token_id, **sampling
            )
        width = inputs["input_ids"].shape[1]
        prompts = inputs["attention_mask"].sum(dim=1).tolist()
        return [self._reply(ids.tolist(), prompt, first) for ids, prompt in zip(output[:, width:], prompts, strict=True)]

    def _reply(self, ids: list[int], prompt: int, request: Request) -> Reply:
        ends = self._model.generation_config.eos_token_id
        stops = set(ends) if isinstance(ends, list) else {ends}
        length = next((index for index, token in enumerate(ids) if token in stops), len(ids))
        text = self._tokenizer.decode(ids[:length], skip_special_tokens=True)
        # Without an end among the tokens the answer was cut at its limit, which the checks of a pipeline want to know.
        ended = length < len(ids) or any(text.endswith(stop) for stop in request.stop)
        for stop in request.stop:
            text = text.removesuffix(stop)
        self.account.answered += 1
        self.account.prompt_tokens += prompt
        self.account.completion_tokens += length
        return Reply(text, str(self.identity["local"]), "stop" if ended else "length", prompt, length)

    def _message(self, message: Message) -> dict[str, Any]:
        if not self._vision:
            if message.images:
                raise InputError("this model reads no pictures: open it with vision=true")
            return {"role": message.role, "content": message.text}
        import io

        from PIL import Image

        content = [
            {"type": "text", "text": part}
            if isinstance(part, str)
            else {"type": "image", "image": Image.open(io.BytesIO(part.read_bytes()))}
            for part in message.parts()
        ]
        return {"role": message.role, "content": content}


def _alike(requests: dict[str, Request]) -> Iterator[dict[str, Request]]:
    """Groups with the same sampling arguments; sampled requests (temperature above 0) stay alone, for their seed's sake."""
    groups: dict[Any, dict[str, Request]] = {}
    for key, request in requests.items():
        # In a batch each row draws from the common generator, so what is drawn would depend on its neighbours.
        alone = key if request.temperature else ""
        groups.setdefault((request.max_tokens, request.temperature, request.stop, request.seed, alone), {})[key] = request
    yield from groups.values()
