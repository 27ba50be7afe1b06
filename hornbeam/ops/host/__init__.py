"""Functions that run on the host, on NumPy arrays: strings, ragged rows, tables, files, pictures."""
