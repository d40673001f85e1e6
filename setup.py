"""The `--setup_file` of Beam and TFX runs on remote workers; pyproject.toml describes the package.

It brings this package and its base dependencies to a worker. TFX, TensorFlow and the rest of the
extra `pipeline` come from the engine's container image, or from a lock of `requirements/` that
Beam installs with `--requirements_file`.
"""

from setuptools import setup

setup()
