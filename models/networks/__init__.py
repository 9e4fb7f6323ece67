"""The networks themselves, as torch modules: one file each."""
