"""int8 copies of converted networks: channels rescaled, weights and activations rounded, as ONNX.

`quantize.quantize` makes a copy, `onnx_writer.to_onnx` writes one for other programs. See README.md.
"""
