"""SchemaGen's schema: refused and accepted data of later days."""

import pyarrow as pa
import pytest

from tests.inputs import parquet_files
from tests.inputs.parquet_files import days

ROWS = 200


def features(**changes):
    """Features of ROWS impressions, of 4 tabs, as ImpressionGen makes them."""
    columns = {
        "user_id": [b"%d" % (i % 2) for i in range(ROWS)],
        "item_id": [b"%d" % (i % 9) for i in range(ROWS)],
        "timestamp": list(range(ROWS)),
        "click": [i % 2 for i in range(ROWS)],
        "tab": [b"%d" % (i % 4) for i in range(ROWS)],
        "premium": [b"true" if i % 3 else b"false" for i in range(ROWS)],
        "price": [0.5 * i for i in range(ROWS)],
    } | changes
    kinds = {"timestamp": pa.int64(), "click": pa.int64(), "price": pa.float32()}
    return {
        name: pa.array(values, kinds.get(name, pa.large_binary()))
        for name, values in columns.items()
    }


def statistics(columns):
    from tensorflow_data_validation.statistics import stats_impl
    from tensorflow_data_validation.statistics import stats_options

    from semantic_id_ranking.components.example_gen.encode import to_record_batch

    return stats_impl.generate_statistics_in_memory(
        to_record_batch(columns), stats_options.StatsOptions()
    )


@pytest.fixture(scope="module")
def schema():
    import tensorflow_data_validation as tfdv

    from semantic_id_ranking.components.schema_gen.relax import relax

    seen = statistics(features())
    return relax(
        tfdv.infer_schema(seen, infer_feature_shape=True),
        seen,
        required=["user_id", "item_id", "timestamp", "click"],
        categorical=["tab", "premium"],
    )


def anomalies(schema, **changes):
    """Names of the features in which later data violate the schema."""
    import tensorflow_data_validation as tfdv

    found = tfdv.validate_statistics(statistics(features(**changes)), schema)
    assert not found.HasField("dataset_anomaly_info")
    return set(found.anomaly_info)


def replaced(values, count, new):
    return [*([new] * count), *values[count:]]


def test_the_training_data_pass(schema):
    assert anomalies(schema) == set()


def test_new_users_and_items_pass(schema):
    # TFDV infers from 0 and 1, and from digits, that all ids are booleans and integers.
    assert anomalies(schema, user_id=[b"user-%d" % i for i in range(ROWS)]) == set()
    assert anomalies(schema, item_id=[b"item-%d" % i for i in range(ROWS)]) == set()


@pytest.mark.parametrize(("name", "new"), [("tab", b"9"), ("premium", b"perhaps")])
def test_categories_may_change_in_a_tenth_of_the_rows(schema, name, new):
    old = features()[name].to_pylist()
    assert anomalies(schema, **{name: replaced(old, 1, new)}) == set()
    assert anomalies(schema, **{name: replaced(old, ROWS // 10 - 1, new)}) == set()
    assert anomalies(schema, **{name: replaced(old, ROWS // 10 + 1, new)}) == {name}
    assert anomalies(schema, **{name: [new] * ROWS}) == {name}


@pytest.mark.parametrize("name", ["tab", "price"])
def test_context_may_be_missing_in_a_tenth_of_the_rows(schema, name):
    old = features()[name].to_pylist()
    assert anomalies(schema, **{name: replaced(old, ROWS // 10 - 1, None)}) == set()
    assert anomalies(schema, **{name: replaced(old, ROWS // 10 + 1, None)}) == {name}
    assert anomalies(schema, **{name: [None] * ROWS}) == {name}


@pytest.mark.parametrize("name", ["user_id", "click"])
def test_required_features_may_never_be_missing(schema, name):
    old = features()[name].to_pylist()
    assert anomalies(schema, **{name: replaced(old, 1, None)}) == {name}


@pytest.mark.parametrize("train", ["all", "some", "none"])
@pytest.mark.parametrize("later", ["all", "some", "none"])
def test_optional_features_may_be_missing_anywhere(train, later):
    import tensorflow_data_validation as tfdv

    from semantic_id_ranking.components.schema_gen.relax import relax

    missing = {"all": ROWS, "some": 3, "none": 0}
    users, clicks = (features()[name].to_pylist() for name in ("user_id", "click"))
    seen = statistics(
        features(
            user_id=replaced(users, missing[train], None),
            click=replaced(clicks, missing[train], None),
        )
    )
    schema = relax(
        tfdv.infer_schema(seen, infer_feature_shape=True),
        seen,
        required=["item_id", "timestamp"],
        categorical=[],
        optional=["user_id", "click"],
    )
    changes = {
        "user_id": replaced(users, missing[later], None),
        "click": replaced(clicks, missing[later], None),
    }
    assert anomalies(schema, **changes) == set()
    # The others are guarded as before.
    item_ids = features()["item_id"].to_pylist()
    assert anomalies(schema, item_id=replaced(item_ids, 1, None)) == {"item_id"}


def test_a_changed_type_is_an_anomaly(schema):
    columns = features() | {"price": pa.array([b"1"] * ROWS, pa.large_binary())}
    import tensorflow_data_validation as tfdv

    assert set(tfdv.validate_statistics(statistics(columns), schema).anomaly_info) == {"price"}


def test_what_never_had_a_value_may_get_one():
    import tensorflow_data_validation as tfdv

    from semantic_id_ranking.components.schema_gen.relax import relax

    seen = statistics(features(tab=[None] * ROWS))
    schema = relax(tfdv.infer_schema(seen, True), seen, required=[], categorical=["tab"])
    assert anomalies(schema) == set()


def test_more_categories_than_the_statistics_list_are_left_open():
    import tensorflow_data_validation as tfdv

    from semantic_id_ranking.components.schema_gen.relax import relax

    many = {"tab": pa.array([b"t%d" % i for i in range(1_001)], pa.large_binary())}
    few = {"tab": pa.array([b"t%d" % i for i in range(1_000)], pa.large_binary())}
    for columns, values in ((many, 0), (few, 1_000)):
        seen = statistics(columns)
        schema = relax(tfdv.infer_schema(seen, True), seen, required=[], categorical=["tab"])
        assert len(schema.feature[0].string_domain.value) == values
        assert schema.feature[0].HasField("string_domain") == bool(values)


def test_component_infers_from_the_training_split_only(tmp_path):
    """In the pipeline, with items: one more dimension would be refused, an empty split is not."""
    import glob

    from tfx.components import ExampleValidator
    from tfx.components import StatisticsGen
    from tfx.utils import io_utils

    from semantic_id_ranking.components.anomaly_gate.component import AnomalyGate
    from semantic_id_ranking.components.schema_gen.component import SchemaGen

    table = parquet_files.items(
        created_at=days([0, 0, 0, 0]), color=pa.array(["red", "green", None, ""])
    )
    parquet_files.write(table, tmp_path / "items.parquet")
    items = parquet_files.item_gen(tmp_path / "items.parquet", evaluation_start="2024-01-02")
    statistics_gen = StatisticsGen(examples=items.outputs["examples"])
    schema_gen = SchemaGen(
        statistics=statistics_gen.outputs["statistics"],
        required=["item_id", "embedding", "created_at"],
        categorical=[],
    ).with_id("SchemaGen.items")
    validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    gate = AnomalyGate(
        anomalies=validator.outputs["anomalies"],
        schema=schema_gen.outputs["schema"],
        source="items.parquet",
        code_version="1",
    )
    root = parquet_files.run([items, statistics_gen, schema_gen, validator, gate], tmp_path / "run")
    (path,) = glob.glob(f"{root}/SchemaGen.items/schema/*/schema.pbtxt")
    schema = io_utils.SchemaReader().read(path)
    got = {feature.name: feature for feature in schema.feature}
    assert set(got) == {"item_id", "embedding", "created_at", "title", "color"}
    assert [dim.size for dim in got["embedding"].shape.dim] == [2]
    assert got["item_id"].presence.min_fraction == 1.0
    # Present in three of four rows.
    assert got["color"].presence.min_fraction == pytest.approx(0.9 * 0.75)
    assert not any(feature.WhichOneof("domain_info") for feature in schema.feature)
