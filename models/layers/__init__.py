"""Layers that networks are built of: convolution blocks in both forms, pooling, upsampling."""
