"""Tests, in the folders of the code that they test."""

import pathlib

#: The project's own folder.
ROOT = pathlib.Path(__file__).parents[1]

#: The folders that `semantic_id_ranking/` links to, and Python code is in.
FOLDERS = {
    path.name
    for path in (ROOT / "semantic_id_ranking").iterdir()
    if path.is_symlink() and path.name != "configs"
}
