"""The page that analyzes on the visitor's own device: its networks, its files, and how they are served.

The TypeScript of the page is in `source`, what esbuild makes of it in `page`, ONNX Runtime Web in `runtime`.
"""
