"""int8 copies of converted networks: channels rescaled, weights and activations rounded, as ONNX."""
