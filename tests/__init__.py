"""The tests, by folder of what they test."""

import pathlib

#: The project's own folder.
ROOT = pathlib.Path(__file__).parents[1]
