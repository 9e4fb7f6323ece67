"""The training itself: one step after another, each a function of the state and its number alone."""

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import SepcamError
from ..networks.people import People
from .examples import Examples
from .losses import WEIGHTS, Labels, Outputs, losses, mask_loss, named
from .optimizer import RelativeAdam, channel_sizes, rate_at
from .reading import best_cells, keypoints_at, mask_inputs, starts_at
from .recipe import Batch, Recipe, batches_of, relative_rate
from .targets import Targets, targets_of

_LEAST_MASKS = 12  # people per batch whose masks are compared, at least


class Trainer:
    """Trains a network; `close` it, or use it in a ``with`` statement.

    Args:
        network: what training begins with; changed in place.
        examples: to learn from.
        recipe: how.
        device: ``cpu`` or ``cuda``. On a GPU convolutions take TF32, torch's default, which moves the
            features by 0.4 %; float16 moves them by 1.2 %, bfloat16 by 15 %, because batch norms are folded.
        workers: threads that make examples.
    """

    def __init__(
        self, network: People, examples: Examples, recipe: Recipe, *, device: str = "cpu", workers: int = 1
    ) -> None:
        self._device = torch.device(device)
        self._recipe, self._examples = recipe, examples
        self._network = network.to(self._device).to(memory_format=torch.channels_last).train()  # pyright: ignore
        self._teacher = deepcopy(self._network).eval().requires_grad_(False)
        self._learned = self._choose()
        self._names = list(self._learned)
        self._optimizer = RelativeAdam(
            [{"params": list(self._learned.values()), "lr": recipe.rate}],
            [channel_sizes(one) * relative_rate(name, recipe.learn) for name, one in self._learned.items()],
        )
        self._averaged = [self._learned[name].detach().clone() for name in self._names]
        self._schedule = batches_of(recipe)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="sepcam-examples")
        self._ahead = workers + 1
        self._waiting: dict[int, Future[Targets]] = {}
        self.step = 0
        """Steps that are done."""

    def __enter__(self) -> "Trainer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops making examples."""
        self._pool.shutdown(cancel_futures=True)

    def advance(self) -> dict[str, float]:
        """One step: the parts of the loss by name, weighted, and ``loss``, their sum.

        Raises:
            SepcamError: If the loss is no longer a number.
        """
        recipe = self._recipe
        factor = rate_at(self.step, recipe.steps, recipe.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.rate * factor
        self._optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for targets in self._batches():
            parts = self._losses(targets)
            (torch.stack(list(parts.values())).sum() / recipe.accumulate).backward()
            for name, value in parts.items():
                share = value.detach() / recipe.accumulate
                sums[name] = sums[name] + share if name in sums else share
        self._optimizer.step()
        self.step += 1
        keep = min(recipe.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for average, name in zip(self._averaged, self._names, strict=True):
                average.lerp_(self._learned[name], 1 - keep)
        found = dict(zip(sums, torch.stack(list(sums.values())).tolist(), strict=True))
        loss = sum(found.values())
        if not math.isfinite(loss):
            raise SepcamError(f"the network is lost after step {self.step}: start again with a smaller rate")
        return {"loss": loss, **found}

    def weights(self) -> dict[str, Tensor]:
        """The state dict of the network with averaged weights, on the CPU."""
        state = self._network.state_dict() | dict(zip(self._names, self._averaged, strict=True))
        return {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs."""
        return {
            "step": self.step,
            "learned": {name: self._learned[name].detach() for name in self._names},
            "averaged": dict(zip(self._names, self._averaged, strict=True)),
            "optimizer": self._optimizer.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state` returned, for the same network, examples and recipe.

        Raises:
            ValueError: If it is another network's or recipe's.
        """
        if set(state["learned"]) != set(self._names):
            raise ValueError("the state is that of another network")
        with torch.no_grad():
            for name, average in zip(self._names, self._averaged, strict=True):
                self._learned[name].copy_(state["learned"][name])
                average.copy_(state["averaged"][name])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self._waiting.clear()

    def _choose(self) -> dict[str, nn.Parameter]:
        """The parameters that learn, by name; the others are frozen."""
        for name, one in self._network.named_parameters():
            one.requires_grad_(relative_rate(name, self._recipe.learn) > 0)
        return {name: one for name, one in self._network.named_parameters() if one.requires_grad}

    def _batches(self) -> Iterator[Targets]:
        """The batches of this step; those that follow are made meanwhile."""
        count = self._recipe.accumulate
        for number in range(self.step * count, (self.step + 1) * count):
            for later in range(number, min(number + self._ahead, len(self._schedule))):
                if later not in self._waiting:
                    self._waiting[later] = self._pool.submit(self._made, later, self._schedule[later])
            yield self._waiting.pop(number).result()

    def _made(self, number: int, batch: Batch) -> Targets:
        examples = [self._examples.make(one, batch.size) for one in batch.numbers]
        rng = np.random.default_rng((self._recipe.seed, 4, number))
        return targets_of(examples, rng, max(self._recipe.batch, _LEAST_MASKS))

    def _losses(self, targets: Targets) -> dict[str, Tensor]:
        labels = Labels.of(targets, self._device)
        features, outputs, held, teacher = self._maps(torch.from_numpy(targets.images).to(self._device))
        cells = best_cells(outputs["center"].detach(), labels.people)
        parts = losses(outputs, teacher, labels, cells)
        if len(labels.drawn):
            drawn = cells[labels.drawn]
            starts = starts_at(outputs["kpt_regress"].detach(), drawn)
            ours = _masks(self._network, features.detach(), outputs, starts, drawn[:, 0], labels.mask_boxes)
            with torch.no_grad():
                theirs = _masks(self._teacher, held, teacher, starts, drawn[:, 0], labels.mask_boxes)
            parts["mask"] = mask_loss(ours, theirs, labels)
        return {name: WEIGHTS[name] * value for name, value in parts.items()}

    def _maps(self, images: Tensor) -> tuple[Tensor, Outputs, Tensor, Outputs]:
        """Features and outputs of the network and of the teacher; what is frozen is computed once."""
        with torch.no_grad():
            held = self._teacher.people.features(images)
            known = named([head(held) for head in self._teacher.people.heads.values()])
        features = held if self._recipe.learn == "heads" else self._network.people.features(images)
        return features, named([head(features) for head in self._network.people.heads.values()]), held, known


def _masks(
    network: People, features: Tensor, outputs: Outputs, starts: Tensor, index: Tensor, boxes: Tensor
) -> Tensor:
    """(M, 80, 80) logits of people's masks, by the keypoints that are found as in the product.

    Args:
        network: that draws them.
        features: (B, 24, H, W), which don't learn from them.
        outputs: of its heads.
        starts: (M, 17, 2) y, x in cells, where the centers say that the keypoints are.
        index: (M,) int64, the input that each person is in.
        boxes: (M, 4) x1 y1 x2 y2 in cells.
    """
    with torch.no_grad():
        heatmap = outputs["kpt_heatmap"].sigmoid()
        keypoints = keypoints_at(heatmap, outputs["kpt_offset"], index, starts, boxes)
        inputs = mask_inputs(features, index, boxes, keypoints)
    (logits,) = network.mask(inputs)
    return logits
