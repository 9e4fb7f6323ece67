"""A small labeled data set: bright people on a dark ground."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIZE = (96, 128)


def person(number: int, image: int, box: tuple[float, float, float, float], **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": 1, "bbox": list(box), **more}


def outlined(box: tuple[float, float, float, float]) -> list[list[float]]:
    x, y, w, h = box
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def posed(box: tuple[float, float, float, float]) -> list[float]:
    """17 keypoints down the middle of a box, the last one unlabeled."""
    x, y, w, h = box
    return [v for n in range(16) for v in (x + w / 2, y + h * n / 16, 2)] + [0, 0, 0]


def data_set(folder: Path, count: int = 6, **changed: Any) -> tuple[Path, Path]:
    """The folder of images and the COCO file; ``changed`` replaces parts of the file."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    annotations = []
    for number in range(count):
        image = rng.integers(0, 60, (*SIZE, 3), np.uint8)
        box = (20.0 + 5 * number, 10.0, 24.0, 70.0)
        x, y, w, h = map(int, box)
        image[y : y + h, x : x + w] += 150
        cv2.imwrite(str(images / f"{number}.png"), image)
        labels = {"segmentation": outlined(box)} if number % 2 else {"keypoints": posed(box)}
        annotations.append(person(number + 1, number, box, **labels))
    data = {
        "images": [
            {"id": n, "file_name": f"{n}.png", "width": SIZE[1], "height": SIZE[0]} for n in range(count)
        ],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": annotations,
    }
    path = folder / "people.json"
    path.write_text(json.dumps(data | changed))
    return images, path
