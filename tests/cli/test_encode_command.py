"""`sid encode` with the model of a run."""

import io
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rich.console
import tensorflow as tf

from semantic_id_ranking.cli.encode import encode
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.input_config import ColumnsConfig


def save_ranker(path):
    """Writes a SavedModel with the one signature `rank`."""
    module = tf.Module()
    rank = tf.function(lambda x: {"y": x}, input_signature=[tf.TensorSpec([], name="x")])
    tf.saved_model.save(module, str(path), signatures={"rank": rank})


def run(finished_run, items, output, earlier=None, re_encode_all=False, skip_bad=0):
    """Returns what was printed."""
    printed = io.StringIO()
    model = f"{finished_run.output}/serving/semantic_id"
    console = rich.console.Console(file=printed, width=40)
    encode(
        model,
        str(items),
        str(output),
        ColumnsConfig(),
        1,
        earlier and str(earlier),
        re_encode_all,
        skip_bad,
        console,
    )
    return printed.getvalue()


@pytest.fixture
def made(finished_run):
    return finished_run.records.output("SemanticIdGen", "semantic_ids").uri


def test_gives_the_semantic_ids_of_the_pipeline(finished_run, made, tmp_path):
    said = run(finished_run, finished_run.items, f"{tmp_path}/sids.parquet/")
    fingerprint = finished_run.summary["sid"]["fingerprint"]
    assert f"480 items in SID space {fingerprint}: {tmp_path}/sids.parquet\n" in said
    assert "480 encoded, 0 copied from the earlier output, 0 gone" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sids.parquet", "sids.parquet.log"]
    tables = [sid_table.read(path) for path in (made, str(tmp_path / "sids.parquet"))]
    orders = [np.argsort(ids) for ids, _, _ in tables]
    np.testing.assert_array_equal(*(t[0][o] for t, o in zip(tables, orders, strict=True)))
    np.testing.assert_array_equal(*(t[1][o] for t, o in zip(tables, orders, strict=True)))


def test_copies_from_the_pipelines_semantic_ids_what_did_not_change(finished_run, made, tmp_path):
    table = pq.read_table(finished_run.items)
    embeddings = table["embedding"].to_pylist()
    embeddings[3][0] += 1.0
    position = table.schema.get_field_index("embedding")
    changed = pa.array(embeddings, table.schema.field(position).type)
    table = table.set_column(position, "embedding", changed).slice(0, 470)
    pq.write_table(table, tmp_path / "items.parquet")
    said = run(finished_run, tmp_path / "items.parquet", tmp_path / "sids", earlier=made)
    assert "1 encoded, 469 copied from the earlier output, 10 gone since then, 0 rejected" in said


def test_a_pipe_is_refused_and_not_waited_for(finished_run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: is neither a file nor a folder"):
        run(finished_run, tmp_path / "pipe", tmp_path / "sids")


def test_names_the_file_of_rejects(finished_run, tmp_path):
    table = pq.read_table(finished_run.items).slice(0, 3)
    embeddings = table["embedding"].to_pylist()
    embeddings[1] = None
    position = table.schema.get_field_index("embedding")
    column = pa.array(embeddings, table.schema.field(position).type)
    pq.write_table(table.set_column(position, "embedding", column), tmp_path / "items.parquet")
    with pytest.raises(InputError, match="row 1 "):
        run(finished_run, tmp_path / "items.parquet", tmp_path / "sids")
    said = run(finished_run, tmp_path / "items.parquet", tmp_path / "sids", skip_bad=1)
    assert f"1 rejected: {tmp_path}/sids.rejects.parquet" in said


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (save_ranker, r"is a ranker \(it has rank\); encoding needs a semantic_id model"),
        (lambda path: (path / "saved_model.pb").write_bytes(b"no"), "is no SavedModel"),
    ],
)
def test_another_model_is_refused_before_tensorflow_is_asked(tmp_path, write, reason):
    (tmp_path / "model").mkdir()
    write(tmp_path / "model")
    console = rich.console.Console()
    with pytest.raises(InputError, match=reason):
        encode(f"{tmp_path}/model", "items", "out", ColumnsConfig(), 1, None, False, 0, console)


def test_the_output_needs_a_name():
    with pytest.raises(InputError, match="--output '': is empty"):
        encode("model", "items", "", ColumnsConfig(), 1, None, False, 0, rich.console.Console())
