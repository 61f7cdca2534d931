"""A job's pixels through the core."""

from __future__ import annotations

import gc
import hashlib
import time
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..core import AnyNetwork, choose_device, recipe
from ..core.around import around
from ..core.errors import InputError, NuggyError, WeightsError
from ..core.foreground.opacity import within
from ..core.guided_answer import Seen
from ..core.network.device import out_of_memory
from ..core.pipeline import after_network, answer
from ..core.recipes import Recipe
from ..core.segment.box import seen_in_boxes
from ..core.segment.closer_look import look
from ..core.work import NETWORK, Work
from ..process import give_back
from .job import PLANES, Job
from .memory import Answer, Memory, Photograph
from .networks import Networks
from .protocol import Bytes, Message
from .results import result
from .said import boxes_moved, guidance, reduced
from .samples import plane
from .talk import Report, RequestError
from .watch import Watch

QUICK = 1024  # pixels of the copy from which the first look after a change of a setting is computed
EMPTY = 0.5 / 255  # a mask that is nowhere above this is empty
COLOURS = 0.96  # of the work is done when the mask is there


class Worker:
    """Does jobs with networks that are loaded once. Called by one thread at a time, except for `network`."""

    def __init__(self, device: str = "auto"):
        self.device = choose_device(device)
        self.memory = Memory()
        self.network = Networks(self.device)

    def rest(self) -> None:
        """Give memory back that the last job needed."""
        self.memory.rest()
        gc.collect()
        give_back()

    def __call__(self, job: Job, blobs: dict[str, Bytes], report: Report) -> Message:
        """The answer to a job. Raises RequestError, and what `report` raises."""
        try:
            return self._do(job, blobs, report)
        except WeightsError as e:
            raise RequestError("weights", str(e)) from None
        except NuggyError as e:
            raise RequestError("input", str(e)) from None
        except Exception as e:
            if not out_of_memory(e):
                raise
            text = f"{job.width}x{job.height} pixels need more memory than is free on {self.device}"
        self.memory.forget()
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        raise RequestError("memory", text)

    @torch.inference_mode()
    def _do(self, job: Job, blobs: dict[str, Bytes], report: Report) -> Message:
        started = time.perf_counter()
        wanted = _recipe(job)
        asks = job.start == "network" and not (job.has_selection and job.selection == "subject")
        if asks and job.network not in self.network:
            report("load", 0.0)
        network = self.network(job.network) if asks else None
        report("read", 0.0)
        whole = self.memory.see(job, blobs, self.device)
        if whole is None:
            raise RequestError("unknown", "the pixels are not there any more")
        planes = {n: plane(job, blobs, n, self.device) for n in ("mask", *PLANES)}
        watch = Watch(report, COLOURS if job.want == "layer" else 1.0)
        work, before = Work(watch), time.perf_counter()
        with watch:
            seen, alpha = self._mask(job, blobs, whole, planes, network, wanted, work)
        found = float(alpha.amax()) > EMPTY
        core = time.perf_counter() - before
        with Watch(report) as watch:
            watch.stage, watch.share = "colours", COLOURS
            blobs_out = result(job, whole, seen, alpha, planes, wanted)
        seconds = {"core": core, "all": time.perf_counter() - started, **work.seconds}
        return Message({"found": found, "seconds": {k: round(v, 4) for k, v in seconds.items()}}, blobs_out)

    def _mask(
        self, job: Job, blobs: dict[str, Bytes], whole: Photograph, planes: dict[str, Tensor | None],
        network: AnyNetwork | None, wanted: Recipe, work: Work,
    ) -> tuple[Photograph, Tensor]:  # fmt: skip
        """The layer's mask [1,1,h,w], before it meets what is there, of `whole` or for a first look of a smaller copy,
        which is given too."""
        wanted = wanted if network is None else around(wanted, network.form)
        said = guidance(job, planes)
        told = hashlib.sha256(b"".join(n.encode() + bytes(blobs[n]) for n in ("keep", "drop") if n in blobs))
        if said.mask is not None or said.boxes:
            told.update(bytes(blobs["mask" if job.start == "mask" else "selection"]))
        question = (whole.key, job.network if network else None, str(wanted.part("look")))
        settings = [str(wanted.part(p)) for p in ("edge", "islands", "mask")]
        key = (question, *settings, job.start, job.selection, bool(said.boxes), said.uncertainty, told.digest())
        if self.memory.mask and self.memory.mask[0] == key and job.key:
            return whole, self.memory.mask[1]
        said.fitted(whole.bounded)  # what cannot be is said before the network's seconds
        seen = whole.seen
        answered = self._asked(seen, network, wanted, question, work)
        if answered and said.boxes and (0, tuple(said.boxes)) not in answered.boxes:
            assert network is not None
            answered.boxes[0, tuple(said.boxes)] = seen_in_boxes(network, seen, said.boxes)
        copy, exact = whole, job.want != "preview" or job.exact or max(whole.size) <= QUICK
        if not exact:
            copy = self.memory.reduced(whole, QUICK)
            scale = max(copy.size) / max(whole.size)
            wanted = replace(wanted, shift_edge=wanted.shift_edge * scale, feather=wanted.feather * scale)
            said, answered = reduced(said, copy.size, scale), boxes_moved(answered, said, copy.size, scale)
            seen = copy.seen
        alpha = None
        if answered:  # between two strokes the mask that they change stays
            alpha = self.memory.bare(exact, (question, *settings))
            if alpha is None:
                alpha, _ = after_network(seen, answered.coarse, wanted, work)
                self.memory.keep_bare(exact, (question, *settings), alpha)
        known = answered or Answer(seen)
        state = Seen(seen, alpha, [], wanted, seen, None, Work(), network, boxes=known.boxes, learnt=known.learnt)
        found = answer(state, said).alpha
        found = found if copy.opacity is None else within(found, copy.opacity)
        if exact and job.key:
            self.memory.mask = key, found
        return copy, found

    def _asked(
        self, seen: Tensor, network: AnyNetwork | None, wanted: Recipe, question: tuple[Any, ...], work: Work
    ) -> Answer | None:
        """What the network says, once for a photograph and its views."""
        if network is None:
            return None
        known = self.memory.answer(question)
        if known:
            return known
        watch = work.report
        assert isinstance(watch, Watch)
        with work.stage("network"):
            coarse = look(
                network, seen, progress=lambda d, n: watch.of_network(d, n, NETWORK), **wanted.part("look")
            )  # fmt: skip
        return self.memory.remember(question, coarse)


def _recipe(job: Job) -> Recipe:
    settings = dict(job.settings)
    unknown = settings.keys() & {"name", "views", "combine"}
    if unknown:
        raise InputError(f"{', '.join(sorted(unknown))} cannot be set from GIMP")
    wrong = [k for k, v in settings.items() if not isinstance(v, (int, float, str)) or isinstance(v, bool)]
    if wrong:
        raise InputError(f"{', '.join(wrong)} must be a number or a word")
    return recipe(job.recipe, **settings)
