"""``python -m sepcam``: the same as the ``sepcam`` command."""

# pyright: reportMissingImports=false
# (sepcam.* resolves through the links that `make setup` makes.)

from sepcam.app.cli import main

if __name__ == "__main__":
    main()
