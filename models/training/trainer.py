"""The training itself: one step after another, each a function of the state and its number alone."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..networks.people import People
from ..people.decoding import STRIDE, keypoints_at
from ..people.maps import Cells, Maps
from ..people.masks import mask_inputs
from ..types import F32, I64
from .examples import Examples
from .losses import WEIGHTS, Labels, Outputs, losses, mask_loss, named
from .optimizer import RelativeAdam, channel_sizes, rate_at
from .recipe import Recipe
from .targets import Targets, as_people, targets_of

_LATER = 10  # the first block of the trunk that learns where the trunk does
_AHEAD = 2  # steps whose examples are made while the network learns from others
_MASKS = 12  # people per batch whose masks are compared
_LONGEST_GRADIENT = 5.0
_CELL_HEADS = ("kpt_regress", "kpt_offset", "box_scale", "box_offset")


class Trainer:
    """Trains a network; `close` it, or use it in a ``with`` statement.

    Args:
        network: what training begins with; changed in place.
        examples: to learn from.
        recipe: how.
        device: ``cpu`` or ``cuda``; on a GPU in bfloat16 where that suffices.
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
            [channel_sizes(one) for one in self._learned.values()],
        )
        self._averaged = [self._learned[name].detach().clone() for name in self._names]
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="sepcam-examples")
        self._waiting: dict[int, list[Future[Targets]]] = {}
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
        """One step: the parts of the loss by name, weighted, and ``loss``, their sum."""
        recipe = self._recipe
        factor = rate_at(self.step, recipe.steps, recipe.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.rate * factor
        self._optimizer.zero_grad(set_to_none=True)
        sums: dict[str, float] = {}
        for batch in self._batches():
            parts = self._losses(batch)
            total = torch.stack(list(parts.values())).sum() / recipe.accumulate
            total.backward()
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / recipe.accumulate
        nn.utils.clip_grad_norm_(list(self._learned.values()), _LONGEST_GRADIENT)
        self._optimizer.step()
        self.step += 1
        keep = min(recipe.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for average, name in zip(self._averaged, self._names, strict=True):
                average.lerp_(self._learned[name], 1 - keep)
        return {"loss": sum(sums.values()), **sums}

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
        people = self._network.people
        parts: list[nn.Module] = [people.heads, self._network.mask]
        if self._recipe.learn != "heads":
            parts.append(people.pyramid)
        if self._recipe.learn == "trunk":
            parts += [*people.trunk.blocks[_LATER:], people.trunk.last]
        self._network.requires_grad_(False)
        for part in parts:
            part.requires_grad_(True)
        return {name: one for name, one in self._network.named_parameters() if one.requires_grad}

    def _batches(self) -> Iterator[Targets]:
        """The batches of this step; those of the next ones are made meanwhile."""
        for step in range(self.step, min(self.step + _AHEAD, self._recipe.steps)):
            if step not in self._waiting:
                numbers = range(step * self._recipe.accumulate, (step + 1) * self._recipe.accumulate)
                self._waiting[step] = [self._pool.submit(self._made, number) for number in numbers]
        for future in self._waiting.pop(self.step):
            yield future.result()

    def _made(self, number: int) -> Targets:
        rng = np.random.default_rng((self._recipe.seed, 3, number))
        size = int(rng.choice(self._recipe.sizes))
        numbers = range(number * self._recipe.batch, (number + 1) * self._recipe.batch)
        return targets_of([self._examples.make(one, size) for one in numbers], rng)

    def _losses(self, targets: Targets) -> dict[str, Tensor]:
        labels = Labels.of(targets, self._device)
        with self._autocast():
            features, outputs, held, teacher = self._maps(torch.from_numpy(targets.images).to(self._device))
        parts = losses(outputs, teacher, labels)
        rows = np.flatnonzero(targets.masked | targets.keypoints[..., 2].any(1))[:_MASKS]
        if len(rows):
            with self._autocast():
                parts["mask"] = mask_loss(
                    self._masks(self._network, features, outputs, targets, rows),
                    self._masks(self._teacher, held, teacher, targets, rows),
                    labels,
                    torch.from_numpy(rows).to(self._device),
                )
        return {name: WEIGHTS[name] * value for name, value in parts.items()}

    def _maps(self, images: Tensor) -> tuple[Tensor, Outputs, Tensor, Outputs]:
        """Features and outputs of the network and of the teacher; what is frozen is computed once."""
        network, teacher = self._network.people, self._teacher.people
        start = _LATER if self._recipe.learn == "trunk" else len(network.trunk.blocks)
        with torch.no_grad():
            x, taps = network.trunk.begin(network.normalize(images), start)
            held = teacher.pyramid(teacher.trunk.resume(x, taps, start))
            known = named([head(held) for head in teacher.heads.values()])
        features = held
        if self._recipe.learn != "heads":
            features = network.pyramid(network.trunk.resume(x, taps, start))
        return features, named([head(features) for head in network.heads.values()]), held, known

    @torch.no_grad()
    def _mask_inputs(self, features: Tensor, outputs: Outputs, targets: Targets, rows: I64) -> F32:
        """What the mask head is given of people, as in the product: by the keypoints that are found."""
        made: list[F32] = []
        heat = outputs["kpt_heatmap"].sigmoid().cpu().numpy()
        maps = {name: outputs[name].permute(0, 2, 3, 1).cpu().numpy() for name in _CELL_HEADS}
        planes = features.float().permute(0, 2, 3, 1).cpu().numpy()
        for index in np.unique(targets.people[rows, 0]).tolist():
            members = rows[targets.people[rows, 0] == index]
            one = {name: value[index] for name, value in maps.items()}
            boxes = targets.mask_boxes[members]
            places = targets.people[members, 1:]
            start = places[:, None] + one["kpt_regress"][places[:, 0], places[:, 1]].reshape(-1, 17, 2)
            spans = np.tile([0, heat.shape[-1]], (len(members), 1))
            whole = Maps(heat[index, 0], heat[index], planes[index], _reader(one))
            keypoints = keypoints_at(whole, start.astype(np.float32), boxes / np.float32(STRIDE), spans)
            keypoints[..., :2] *= STRIDE
            made.append(mask_inputs(planes[index], as_people(boxes, keypoints)))
        return np.concatenate(made)

    def _masks(
        self, network: People, features: Tensor, outputs: Outputs, targets: Targets, rows: I64
    ) -> Tensor:
        """(M, 80, 80) float32 logits; the features do not learn from them."""
        inputs = self._mask_inputs(features, outputs, targets, rows)
        (logits,) = network.mask(torch.from_numpy(inputs).to(self._device))
        return logits.float()

    @contextmanager
    def _autocast(self) -> Iterator[None]:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            yield


def _reader(maps: Mapping[str, F32]) -> Any:  # noqa: ANN401 - the field of `Maps`
    def read(rows: I64, columns: I64) -> Cells:
        values = np.concatenate([maps[name][rows, columns] for name in _CELL_HEADS], 1)
        return Cells.of(values)

    return read
