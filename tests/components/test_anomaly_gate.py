"""AnomalyGate on data that violate the schema, and its message."""

import os

import pyarrow as pa
import pytest

from semantic_id_ranking.contracts.errors import InputError
from tests.inputs import parquet_files


@pytest.fixture(scope="module")
def check():
    """Calls the gate with a schema and with what was found in each split."""
    from tensorflow_metadata.proto.v0 import anomalies_pb2
    from tfx.types import artifact_utils
    from tfx.types import standard_artifacts
    from tfx.utils import io_utils

    from semantic_id_ranking.components.anomaly_gate.check import check_anomalies

    def call(folder, schema, **found):
        anomalies = standard_artifacts.ExampleAnomalies()
        anomalies.uri = str(folder / "anomalies")
        anomalies.split_names = artifact_utils.encode_split_names(list(found))
        for split, (name, description) in found.items():
            diff = anomalies_pb2.Anomalies()
            if name == "":
                diff.dataset_anomaly_info.description = description
            elif name is not None:
                diff.anomaly_info[name].description = description
                diff.anomaly_info[name].path.step.append(name)
            path = folder / "anomalies" / f"Split-{split}"
            os.makedirs(path)
            (path / "SchemaDiff.pb").write_bytes(diff.SerializeToString())
        artifact = standard_artifacts.Schema()
        artifact.uri = str(folder / "schema")
        io_utils.write_pbtxt_file(str(folder / "schema" / "schema.pbtxt"), schema)
        check_anomalies(anomalies, artifact, "log.parquet")

    return call


@pytest.fixture(scope="module")
def schema():
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    values = " ".join(f'value: "t{i:02d}"' for i in range(12))
    text = f"""
        feature {{
          name: "tab" type: BYTES presence {{ min_fraction: 0.9 }}
          string_domain {{ {values} }} distribution_constraints {{ min_domain_mass: 0.9 }}
        }}
        feature {{
          name: "embedding" type: FLOAT presence {{ min_fraction: 1 }}
          shape {{ dim {{ size: 64 }} }}
        }}
    """
    return text_format.Parse(text, schema_pb2.Schema())


def test_no_anomaly_passes(check, schema, tmp_path):
    check(tmp_path, schema, train=(None, None), eval=(None, None))


def test_all_anomalies_are_named_with_what_was_expected(check, schema, tmp_path):
    with pytest.raises(InputError) as caught:
        check(
            tmp_path,
            schema,
            train=("embedding", "Lengths vary. "),
            eval=("tab", "Examples contain values missing from the schema: x (100%). "),
        )
    assert str(caught.value) == (
        "log.parquet: split 'train', feature 'embedding': expected FLOAT, of shape [64], present "
        "in at least 100% of the rows; found: Lengths vary; "
        "split 'eval', feature 'tab': expected BYTES, present in at least 90% of the rows, at "
        "least 90% of its values among t00, t01, t02, t03, t04, t05, t06, t07, t08, t09, ...; "
        "found: Examples contain values missing from the schema: x (100%)."
    )


def test_a_feature_that_the_schema_does_not_know(check, schema, tmp_path):
    with pytest.raises(InputError, match="feature 'new': expected no such feature; found: New"):
        check(tmp_path, schema, eval=("new", "New column"))


def test_an_anomaly_of_the_whole_split(check, schema, tmp_path):
    with pytest.raises(InputError) as caught:
        check(tmp_path, schema, eval=("", "Too few examples."))
    assert str(caught.value) == "log.parquet: split 'eval': Too few examples."


def test_the_run_stops_at_wholly_new_categories_and_lost_values(tmp_path):
    """The real chain: all is there in training, and in the evaluation one column is not."""
    from tfx.components import ExampleValidator
    from tfx.components import StatisticsGen

    from semantic_id_ranking.components.anomaly_gate.component import AnomalyGate
    from semantic_id_ranking.components.schema_gen.component import SchemaGen

    table = parquet_files.impressions(
        user_id=pa.array(["u", "v"] * 4 + ["new", "u"]),
        item_id=pa.array(["a", "b"] * 4 + ["a", "new"]),
        tab=pa.array(["home", "search"] * 4 + ["app:1", "app:2"]),
        price=pa.array([1.0] * 8 + [None, None]),
    )
    parquet_files.write(table, tmp_path / "log.parquet")
    log = parquet_files.impression_gen(
        tmp_path / "log.parquet",
        context={"categorical": ["tab"], "numeric": ["price"]},
        evaluation_start="2024-01-09",
    )
    statistics = StatisticsGen(examples=log.outputs["examples"])
    schema_gen = SchemaGen(
        statistics=statistics.outputs["statistics"],
        required=["user_id", "item_id", "timestamp", "click"],
        categorical=["tab"],
    )
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    gate = AnomalyGate(
        anomalies=validator.outputs["anomalies"],
        schema=schema_gen.outputs["schema"],
        source="log.parquet",
        code_version="1",
    )
    with pytest.raises(InputError) as caught:
        parquet_files.run([log, statistics, schema_gen, validator, gate], tmp_path / "run")
    message = str(caught.value)
    assert message.startswith("log.parquet: split 'eval', feature 'price': expected FLOAT")
    assert "feature 'tab': expected BYTES" in message
    assert "among home, search" in message and "app:1" in message
    assert "train" not in message
    # A new user and a new item are no anomaly.
    assert "user_id" not in message and "item_id" not in message
