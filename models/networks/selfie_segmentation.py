"""MediaPipe's selfie segmentation: the mask of the people in a 256 x 256 image, and nothing else.

The network of ``selfie_segmentation.tflite`` (Apache-2.0): MobileNetV3's blocks down to stride 16, and a
light decoder back up. It is made for one near person who fills the image. Modules are defined in the order
of the file's graph, so that ``importers.load_convs`` can fill them.
Source: https://ai.google.dev/edge/mediapipe/solutions/vision/image_segmenter
"""

from torch import Tensor, nn

from ..layers.conv import Activation, ConvAct, Normalize
from ..layers.upsample import Upsample2


class SelfieSegmentation(nn.Module):
    """Maps uint8 (B, 256, 256, 3) BGR to one float32 (B, 256, 256) of logits: a person is where > 0."""

    def __init__(self) -> None:
        super().__init__()
        self.normalize = Normalize(1 / 255, 0.0, rgb=True)
        self.stem = ConvAct(3, 16, 3, 2, act=nn.Hardswish)
        self.stage4 = Block(16, 16, 16, kernel=3, stride=2, squeeze=8, act=nn.ReLU)
        self.stage8 = nn.Sequential(
            Block(16, 72, 24, kernel=3, stride=2, act=nn.ReLU), Block(24, 88, 24, kernel=3, act=nn.ReLU)
        )
        self.stage16 = nn.Sequential(
            Block(24, 96, 32, kernel=5, stride=2, squeeze=24),
            *(Block(32, 128, 32, kernel=5, squeeze=32) for _ in range(2)),
            *(Block(32, 96, 32, kernel=5, squeeze=24) for _ in range(2)),
        )
        self.context = Context(32, 128)
        self.up8 = Up(128, 24)
        self.up4 = Up(24, 16)
        self.up2 = Up(16, 16)
        self.logits = nn.ConvTranspose2d(16, 1, 2, 2)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """See the class."""
        half = self.stem(self.normalize(images))
        quarter = self.stage4(half)
        eighth = self.stage8(quarter)
        x = self.context(self.stage16(eighth))
        x = self.up2(self.up4(self.up8(x, eighth), quarter), half)
        return (self.logits(x)[:, 0],)


class Gate(nn.Module):
    """Squeeze and excitation: a factor in [0, 1] for each channel, from the means of all."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze = ConvAct(channels, squeezed, act=nn.ReLU)
        self.excite = ConvAct(squeezed, channels, act=nn.Sigmoid)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 1, 1)."""
        return self.excite(self.squeeze(x.mean((2, 3), keepdim=True)))


class Block(nn.Module):
    """MobileNetV3's block: widen, filter each channel, weigh the channels, narrow, add the input if it fits.

    Source: Howard et al. 2019, https://arxiv.org/abs/1905.02244.
    """

    def __init__(
        self,
        inputs: int,
        wide: int,
        outputs: int,
        *,
        kernel: int,
        stride: int = 1,
        squeeze: int | None = None,
        act: Activation = nn.Hardswish,
    ) -> None:
        super().__init__()
        self.expand = ConvAct(inputs, wide, act=act)
        self.depthwise = ConvAct(wide, wide, kernel, stride, groups=wide, act=act)
        self.gate = None if squeeze is None else Gate(wide, squeeze)
        self.narrow = ConvAct(wide, outputs, act=nn.Identity)
        self.residual = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        y = self.depthwise(self.expand(x))
        if self.gate is not None:
            y = y * self.gate(y)
        y = self.narrow(y)
        return x + y if self.residual else y


class Context(nn.Module):
    """Features, weighed by what the whole image says."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.features = ConvAct(inputs, outputs, act=nn.ReLU)
        self.weights = ConvAct(inputs, outputs, act=nn.Sigmoid)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H, W)."""
        return self.features(x) * self.weights(x.mean((2, 3), keepdim=True))


class Up(nn.Module):
    """Twice the size, with the encoder's features of that size added as far as they are of use."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.upsample = Upsample2(inputs)
        self.narrow = ConvAct(inputs, outputs, act=nn.Identity)
        self.gate = Gate(outputs, outputs)
        self.mix = ConvAct(outputs, outputs, act=nn.ReLU)
        self.depthwise = ConvAct(outputs, outputs, 3, groups=outputs, act=nn.ReLU)

    def forward(self, x: Tensor, lateral: Tensor) -> Tensor:
        """(B, inputs, H, W) and (B, outputs, 2H, 2W) to (B, outputs, 2H, 2W)."""
        x = self.narrow(self.upsample(x))
        x = self.mix(lateral * self.gate(lateral + x) + x)
        return x + self.depthwise(x)
