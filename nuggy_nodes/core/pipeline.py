"""The whole story: a photograph and a recipe in, a cut-out out."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from torch import Tensor

from .around import around
from .checks import check_alpha, check_image, check_same_size, match_batch
from .demo import demo_masks
from .errors import InputError
from .foreground.opacity import shown
from .guided_answer import Seen, asks_network, guided
from .network.protocol import AnyNetwork
from .recipes import Recipe
from .recipes import recipe as find_recipe
from .refine.edge import adjust_edge
from .refine.islands import IslandReport, remove_islands
from .refine.refine import refine
from .result import Cutout
from .segment.closer_look import look
from .segment.guidance import Guidance
from .work import NETWORK, Report, Work


@torch.inference_mode()
def cutout(
    images: Tensor,
    network: AnyNetwork | None,
    recipe: str | Recipe = "default",
    *,
    guidance: Guidance | None = None,
    opacity: Tensor | None = None,
    chunk: int = 0,
    report: Report | None = None,
) -> Cutout:
    """Cut the subject out of photographs.

    Args:
        images: [B,3,H,W], 0..1, sRGB-encoded, on any device (the refinement runs there; the network where its weights
            are).
        network: from network.weights.load or network.find.open_network, or anything that is protocol.AnyNetwork;
            None where the guidance has a mask, which takes its place.
        recipe: a name of recipes.RECIPES or a Recipe.
        guidance: what the user says of the subject: a rough mask, boxes, strokes. guided_answer.guided says what they
            do; `look_once` and `answer` keep the network's work between strokes.
        opacity: [B,1,H,W], of photographs that are transparent already; alpha is then nowhere above it.
        chunk: squares at a time through the network (0: chosen).
        report: called with (stage, share of the whole work done, 0..1) as the work goes on; an exception it raises
            ends it.

    Returns:
        The cut-outs, one Cutout for the batch.

    Raises:
        InputError: shapes, sizes, batches or values that do not fit, or an unknown recipe.
    """
    check_image(images)
    guidance = (guidance or Guidance()).fitted(images)  # before the network's seconds
    if guidance.mask is not None:
        network = None
    elif network is None:
        raise InputError("without a network the mask says what the subject is, and it is missing or empty; give one")
    seen = look_once(images, network, recipe, opacity=opacity, chunk=chunk, report=report)
    return answer(seen, guidance)


@torch.inference_mode()
def look_once(
    images: Tensor,
    network: AnyNetwork | None,
    recipe: str | Recipe = "default",
    *,
    opacity: Tensor | None = None,
    chunk: int = 0,
    report: Report | None = None,
) -> Seen:
    """All that the network has to say of photographs, to be kept between strokes.

    Args:
        images, network, recipe, opacity, chunk, report: as for `cutout`; without a network only guidance with a mask
            can be answered.

    Returns:
        What was seen.

    Raises:
        InputError: as for `cutout`.
    """
    check_image(images)
    recipe = find_recipe(recipe)
    photographs = images
    if opacity is not None:
        check_same_size(images, check_alpha(opacity, "opacity"), "images", "opacity")
        photographs, opacity = match_batch(images, opacity, "images", "opacity")
        images = shown(photographs, opacity)
    work = Work(report)
    if network is None:
        return Seen(images, None, [], recipe, photographs, opacity, work)
    recipe = around(recipe, network.form)
    if recipe.name == "demo":
        alpha, islands = demo_masks(images, network, recipe, work, chunk)
        return Seen(images, alpha, islands, recipe, photographs, opacity, work, network)
    with work.stage("network"):
        coarse = look(network, images, chunk=chunk, progress=work.of_network, **recipe.part("look"))
    alpha, islands = after_network(images, coarse, recipe, work)
    return Seen(images, alpha, islands, recipe, photographs, opacity, work, network, coarse)


@torch.inference_mode()
def look_again(seen: Seen, recipe: str | Recipe, report: Report | None = None) -> Seen:
    """What was seen, under another recipe: the network is not asked again where the settings of its own part are the
    same.

    Args:
        seen: of look_once; it stays as it is.
        recipe: a name or a Recipe.
        report: as for `cutout`.

    Returns:
        What is seen now.

    Raises:
        InputError: an unknown recipe, or one that is not for this network.
    """
    if asks_network(seen, recipe):
        return look_once(seen.photographs, seen.network, recipe, opacity=seen.opacity, report=report)
    assert seen.coarse is not None and seen.network is not None
    recipe, work = around(find_recipe(recipe), seen.network.form), Work(report)
    alpha, islands = after_network(seen.images, seen.coarse, recipe, work)
    return replace(seen, alpha=alpha, islands=islands, recipe=recipe, work=work)


@torch.inference_mode()
def answer(seen: Seen, guidance: Guidance | None = None) -> Cutout:
    """The cut-out of photographs that were looked at once, under guidance.

    Args:
        seen: of look_once; it stays as it is.
        guidance: what the user says; None: nothing.

    Returns:
        The cut-outs, one Cutout for the batch.

    Raises:
        InputError: guidance that does not fit.
    """
    alpha, islands, seconds = seen.alpha, seen.islands, dict(seen.work.seconds)
    if guidance or alpha is None:
        started = time.perf_counter()
        alpha, islands = guided(seen, guidance or Guidance())
        seconds["guidance"] = time.perf_counter() - started
    assert alpha is not None
    alpha = alpha if seen.opacity is None else torch.minimum(alpha, seen.opacity.to(alpha))
    recipe = seen.recipe
    return Cutout(alpha, seen.photographs, recipe.foreground, recipe.fill_colour, seen.opacity, islands, seconds)


def after_network(images: Tensor, coarse: Tensor, recipe: Recipe, work: Work) -> tuple[Tensor, list[IslandReport]]:
    """Every step from the network's answer up to the colours.

    Args:
        images: photographs [B,3,H,W], 0..1.
        coarse: the network's answer [B,1,n,n], 0..1.
        recipe: whose settings count.
        work: is told of the progress, and keeps the seconds.

    Returns:
        Masks [B,1,H,W], 0..1, and what islands were removed.
    """
    parts, islands = [], []
    for i, (image, small) in enumerate(zip(images.split(1), coarse.split(1))):
        work.tell("refine", NETWORK + (1 - NETWORK) * i / len(images))
        with work.stage("refine"):
            alpha = refine(image, small, **recipe.part("edge"))
        work.tell("islands", NETWORK + (1 - NETWORK) * (i + 0.8) / len(images))
        with work.stage("islands"):
            if recipe.islands != "all" or recipe.max_hole:
                alpha, found = remove_islands(alpha, **recipe.part("islands"))
                islands += found
            alpha = adjust_edge(alpha, **recipe.part("mask"))
        parts.append(alpha)
    work.tell("done", 1.0)
    return torch.cat(parts) if len(parts) > 1 else parts[0], islands
