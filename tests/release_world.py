"""An output folder with models that are released, of files alone: nothing here loads TensorFlow."""

import os
import pathlib

import numpy as np
import pyarrow.parquet as pq

from semantic_id_ranking.components.releaser import release_models as release_models_module
from semantic_id_ranking.components.releaser.release_models import release_models
from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.file_digests import write_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace
from tests.releases import release

A, B, C = "a" * 16, "b" * 16, "c" * 16


class ReleaseWorld:
    """Runs into an output folder, each with a ranker and the encoder of its SID space.

    Args:
        output: The folder.
        monkeypatch: Has models checked by their files, and the clock stand at 1000.
        store: What the configuration says of the store.
    """

    def __init__(self, output, monkeypatch, store=None):
        self.output = pathlib.Path(output)
        self.serving = str(self.output / "serving")
        self.store = store
        self.called = []
        self.output.mkdir(exist_ok=True)
        monkeypatch.setattr(release_models_module, "require_releasable", self._check)
        monkeypatch.setattr(release_models_module.time, "time", lambda: 1000.5)

    def _check(self, models, copies):
        self.called.append(dict(copies))
        for path in copies.values():
            check_file_digests(path)

    def run(self, ranker, space, items=3, **serving):
        """A run with a ranker of a name; its release."""
        encoder, path = f"artifacts/encoder/{space}", f"artifacts/ranker/{ranker}"
        write_model(self.output / encoder, space, "encoder")
        write_model(self.output / path, space, ranker)
        sids = f"artifacts/sids/{space}"
        write_sids(self.output / sids, space, items)
        config = {"serving": {"keep_versions": 3, "store": self.store, **serving}}
        return release(
            fingerprint=space,
            models={"semantic_id": encoder, "ranker": path},
            semantic_ids=sids,
            state=f"artifacts/histories/{ranker}",
            config=config,
        )

    def release(self, ranker, space, **options):
        """Releases a run; the outcome."""
        return release_models(self.serving, self.run(ranker, space, **options))

    def versions(self, model):
        """What a version is (its ranker or its space) by number, oldest first."""
        folder = VersionFolder(os.path.join(self.serving, model))
        return {number: content(folder.version_path(number)) for number in folder.versions()}

    @property
    def rankers(self):
        return list(self.versions("ranker").values())

    @property
    def encoders(self):
        return [folder_space(self.serving, number) for number in self.versions("semantic_id")]


def content(version):
    """What was written as a model."""
    return pathlib.Path(version, "saved_model.pb").read_text()


def folder_space(serving, number):
    return VersionFolder(os.path.join(serving, "semantic_id")).fingerprint(number)


def write_model(path, space, text):
    """A folder that passes for a SavedModel by its files."""
    if path.exists():
        return
    path.mkdir(parents=True)
    (path / "saved_model.pb").write_text(text)
    SidSpace(space, 2, 10, 4).save(str(path / "assets.extra"))
    write_file_digests(str(path))


def write_sids(path, space, items):
    """A table of the items item0, item1, …"""
    path.mkdir(parents=True, exist_ok=True)
    ids = np.array([f"item{row}" for row in range(items)], object)
    sids = np.stack([np.arange(items) % 10, np.full(items, "abc".index(space[0]))], 1)
    table = sid_table.to_table(
        ids, sids.astype(np.int32), np.zeros(items, np.int64), SidSpace(space, 2, 10, 4)
    )
    if not (path / "sids-0.parquet").exists():
        pq.write_table(table, path / "sids-0.parquet")
