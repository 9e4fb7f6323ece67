"""SSDLite on MobileNetV3, as torchvision has it (``ssdlite320_mobilenet_v3_large``).

The network is torchvision's own, its batch norms folded into the convolutions before them, with an input and
outputs like those of `ssd`: its detections come from the same `detectors.SSDDetector`.
Sources: Howard et al. 2019 (MobileNetV3, https://arxiv.org/abs/1905.02244), Sandler et al. 2018 (SSDLite,
https://arxiv.org/abs/1801.04381).
"""

import torch
from torch import nn
from torchvision.models.detection import ssdlite320_mobilenet_v3_large

from ..layers.conv import Normalize
from ..layers.fusion import fold_batch_norms

_SIDE = 320  # of the input, in pixels
_BOX_ORDER = (1, 0, 3, 2)  # torchvision encodes x before y
_SUREST = -1e-6  # log of the highest probability whose log-odds are finite


class SSDLiteMobileNetV3(nn.Module):
    """SSDLite-MobileNetV3-large for COCO.

    Maps uint8 (B, 320, 320, 3) BGR to two float32 tensors: (B, 3234, 4) box encodings ty, tx, th, tw and
    (B, 3234, 91) log-odds of the classes, background first, whose sigmoid is the softmax that the network was
    trained with. The anchors are those of `detectors.torchvision_anchors`.
    """

    def __init__(self) -> None:
        super().__init__()
        model = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None).eval()
        self.normalize = Normalize(1 / 127.5, -1.0, rgb=True)
        self.backbone, self.head = model.backbone, model.head
        fold_batch_norms(self.eval(), (1, _SIDE, _SIDE, 3))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Box encodings and class log-odds of every anchor."""
        outputs = self.head(list(self.backbone(self.normalize(images)).values()))
        log_p = outputs["cls_logits"].log_softmax(2).clamp(max=_SUREST)
        log_odds = log_p - torch.log(1 - torch.exp(log_p))
        return outputs["bbox_regression"][..., list(_BOX_ORDER)], log_odds
