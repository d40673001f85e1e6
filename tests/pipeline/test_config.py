import datetime
import importlib.resources
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline import config as config_lib
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import HistoryConfig
from semantic_id_ranking.pipeline.config import SlicesConfig
from semantic_id_ranking.pipeline.config import ThresholdConfig
from semantic_id_ranking.pipeline.input_config import SplitConfig
from semantic_id_ranking.pipeline.join_config import ContextConfig
from semantic_id_ranking.pipeline.load_config import ConfigError
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.representations import Dense
from semantic_id_ranking.trainer.ranker.representations import IdPlusSid
from semantic_id_ranking.trainer.ranker.representations import SidHybrid
from semantic_id_ranking.trainer.ranker.representations import SidNgram
from semantic_id_ranking.trainer.ranker.representations import SidPrefix
from semantic_id_ranking.trainer.ranker.representations import SidSpm
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig

SHIPPED = sorted(Path(importlib.resources.files("semantic_id_ranking") / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path):
    assert load_config(str(path)).tasks


def test_there_are_shipped_configurations():
    assert {path.stem for path in SHIPPED} >= {"movielens", "kuairand"}


def test_without_a_file_the_one_task_is_click():
    config = load_config()
    assert [(t.name, t.label, t.type) for t in config.tasks] == [("click", "click", "binary")]


def test_overrides_win_over_the_file_and_are_yaml(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("ranker: {epochs: 3, bottom_widths: [8]}\n")
    config = load_config(
        str(path), ["ranker.epochs=5", "split.evaluation_start=2020-01-02T00:00:00Z"]
    )
    assert config.ranker.epochs == 5
    assert config.ranker.bottom_widths == (8,)
    assert config.split.evaluation_start == datetime.datetime(
        2020, 1, 2, tzinfo=datetime.timezone.utc
    )


def test_a_task_survives_a_round_trip_through_json():
    (task,) = load_config(
        overrides=["tasks=[{name: a, positive_weight: balanced, train_negative_rate: 0.5}]"]
    ).tasks
    assert type(task)(**json.loads(json.dumps(config_lib.to_dict(task)))) == task


def test_a_column_named_as_the_item_age_is_free_where_the_age_is_not_read():
    assert load_config(overrides=["context.numeric=[item_age_days]"]).context.numeric


def test_parts_survive_a_round_trip_through_json():
    config = load_config(overrides=["ranker.bottom_widths=[8, 4]"])
    as_dict = config_lib.to_dict(config.ranker)
    assert as_dict["bottom_widths"] == [8, 4]
    assert type(config.ranker)(**as_dict) == config.ranker


@pytest.mark.parametrize(
    ("override", "facts"),
    [
        ("ranker.epoch=3", ["ranker.epoch", "unknown key", "did you mean epochs"]),
        ("rankr.epochs=3", ["rankr", "unknown key", "did you mean ranker"]),
        ("ranker.epochs=0", ["ranker.epochs", "0 is not allowed", "greater than or equal to 1"]),
        ("ranker.epochs=many", ["ranker.epochs", "'many'", "integer"]),
        ("ranker=3", ["ranker", "3 is not allowed"]),
        ("ranker.epochs.more=3", ["ranker.epochs"]),
        ("tasks=[{name: a, type: ternary}]", ["tasks.0.type", "'ternary'", "'binary'"]),
        ("tasks=[{name: a, lable: b}]", ["tasks.0.lable", "did you mean label"]),
        ("tasks=[]", ["tasks", "is empty"]),
        ("tasks=[{name: a}, {name: a}]", ["tasks.1.name", "'a' appears twice"]),
        ("tasks=[{name: a b}]", ["tasks.0.name", "'a b'"]),
        ("history.positive=like", ["history.positive", "'like'", "['click']"]),
        ("thresholds=[{task: like}]", ["thresholds.0.task", "'like'", "['click']"]),
        ("thresholds=[{task: click, slice: old}]", ["thresholds.0.slice", "'old'", "'unseen'"]),
        (
            "thresholds=[{task: click, metric: rmse}]",
            ["thresholds.0.metric", "'rmse'", "binary", "'gauc'"],
        ),
        (
            "thresholds=[{task: click, change: 0, peer: dense}]",
            ["thresholds.0.peer", "'dense'", "['item_rate', 'random_hash', 'served']"],
        ),
        ("baselines=[]", ["baselines", "at least 1 item"]),
        ("baselines=[item_rate, lightgbm]", ["baselines.1", "'lightgbm'", "'random_hash'"]),
        ("baselines=[dense, dense]", ["baselines.1", "'dense'", "twice"]),
        ("thresholds=[{task: click, at: lower}]", ["thresholds.0", "give change, too"]),
        ("representation.rows=100", ["representation.rows", "100", "1025"]),
        ("representation.name=magic", ["representation.name", "'magic'", "'sid_spm'"]),
        ("representation.tau=5", ["representation.tau", "5", "sid_spm", "sid_hybrid"]),
        ("rqvae.codebook_size=60000", ["rqvae", "240000", "65534"]),
        ("slices.head_share=0.9", ["slices", "add up"]),
        ("split.evaluation_fraction=1", ["split.evaluation_fraction", "less than 1"]),
        ("context={numeric: [a], categorical: [a]}", ["context", "'a' is both"]),
        (
            "context={numeric: [item_age_days], item_age: true}",
            ["context", "'item_age_days'", "item_age"],
        ),
        (
            "tasks=[{name: a, positive_weight: balancd}]",
            ["tasks.0.positive_weight: 'balancd'", "a number above 0, or balanced"],
        ),
        (
            "tasks=[{name: a, type: regression, train_negative_rate: 0.5}]",
            ["tasks.0.train_negative_rate: 0.5", "regression"],
        ),
        ("ranker={bottom: mmoe, bottom_widths: []}", ["ranker.bottom_widths: []", "one layer"]),
        ("thresholds=[{slice: all}]", ["thresholds.0.task", "is missing"]),
        ("representation={name: sid_hybrid, sampling: 0.1}", ["sampling: 0.1", "to sid_spm"]),
        ("representation={name: dense, factr: 2}", ["representation.factr", "unknown key"]),
        ("representation={name: sid_hybrid, row: 9}", ["did you mean rows?"]),
        ("representation={name: sid_hybrid, rows: 2}", ["representation.rows: 2", "3 or more"]),
        ("representation={name: sid_ngram, n: 5}", ["representation.n: 5", "4 levels"]),
        ("representation={name: sid_prefix, depth: 5}", ["representation.depth: 5", "4 levels"]),
        (
            "representation={name: id_plus_sid, rows: 4}",
            ["representation.rows: 4", "2 rows cannot be shared by 4 tables"],
        ),
        ("rqvae=3", ["rqvae: 3 is not allowed"]),
        ("representation=3", ["representation: 3 is not allowed"]),
        (
            "split.evaluation_start=9999-12-31T23:59:59-05:00",
            ["split.evaluation_start: '9999-12-31", "there is no such time in UTC"],
        ),
        ("tasks.0.name=a", ["tasks: {'0'", "is not allowed"]),
        ("nonsense", ["--set nonsense", "key=value"]),
        ("ranker.epochs={", ["--set ranker.epochs={", "not valid YAML"]),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_what_would_be_right(override, facts):
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=[override])
    for fact in facts:
        assert fact in str(caught.value)


@pytest.mark.parametrize(
    ("url", "fact"),
    [
        ("redis://:s3cret@host/0", "write env:NAME"),
        ("rediss://host/0?password=s3cret", "write env:NAME"),
        ("mysql://u:s3cret@host/0", "names no store; write sqlite:///path"),
        ("s3cret", "names no store"),
    ],
)
def test_a_store_with_a_password_or_of_another_form_is_refused_without_repeating_it(url, fact):
    with pytest.raises(ConfigError, match=f"serving: store: .*{fact}") as error:
        load_config(None, [f"serving.store='{url}'"])
    assert "s3cret" not in str(error.value)


def test_a_store_may_be_named_in_each_form_that_has_no_password():
    for url in ("sqlite:////tmp/a@b.sqlite", "redis://host:6379/0", "env:SIDS", "file:/run/url"):
        assert load_config(None, [f"serving.store='{url}'"]).serving.store == url
    assert Config().serving.store is None


def test_an_option_needs_the_sampled_tokenizer():
    with pytest.raises(ConfigError, match=r"representation\.sampling: 0\.1 .*of model bpe"):
        load_config(overrides=["representation.sampling=0.1", "tokenizer.model=bpe"])


def test_another_representation_than_the_files_keeps_none_of_its_options(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("representation: {name: sid_spm, rows: 65536, sampling: 0.1}\n")
    assert load_config(str(path)).representation == SidSpm(rows=65536, sampling=0.1)
    assert load_config(str(path), ["representation.rows=2048"]).representation.rows == 2048
    with pytest.raises(ConfigError, match=r"sampling: 0\.1 .* sid_hybrid has no such option"):
        load_config(str(path), ["representation.name=sid_hybrid"])
    replaced = load_config(str(path), ["representation={name: sid_hybrid}"])
    assert replaced.representation == SidHybrid()


@pytest.mark.parametrize(
    ("make", "fact"),
    [
        (lambda: Config(tasks=()), "tasks: is empty"),
        (lambda: Config(tasks=(TaskConfig(), TaskConfig())), "tasks.1.name: 'click' appears twice"),
        (lambda: TaskConfig(name="a b"), "use letters"),
        (lambda: TaskConfig(type="ternary"), "'binary'"),
        (lambda: TaskConfig(type="regression", positive_weight=2), "neither positives"),
        (lambda: Config(history=HistoryConfig(positive="like")), "history.positive: 'like'"),
        (
            lambda: Config(thresholds=(ThresholdConfig(task="like"),)),
            "thresholds.0.task: 'like' is not a task",
        ),
        (
            lambda: Config(thresholds=(ThresholdConfig(task="click", metric="rmse"),)),
            "thresholds.0.metric: 'rmse' is no metric of a binary task",
        ),
        (lambda: ThresholdConfig(task="click", at="lower"), "give change, too"),
        (lambda: ThresholdConfig(task="click", slice="old"), "'unseen'"),
        (lambda: Config(representation=SidSpm(rows=100)), "representation.rows: 100 is not"),
        (lambda: Config(representation=SidHybrid(rows=2)), "representation.rows: 2 is not"),
        (lambda: Config(representation=SidNgram(n=5)), "representation.n: 5 is not"),
        (lambda: Config(representation=SidPrefix(depth=5)), "representation.depth: 5 is not"),
        (lambda: Config(representation=IdPlusSid(rows=4)), "representation.rows: 4 is not"),
        (lambda: Config(representation=Dense, ranker=3), "representation"),
        (lambda: SidSpm(tau=5), "tau"),
        (lambda: SidSpm(rows=0), "rows"),
        (
            lambda: Config(
                representation=SidSpm(sampling=0.1), tokenizer=TokenizerConfig(model="bpe")
            ),
            "representation.sampling: 0.1",
        ),
        (lambda: Config(rqvae=RqVaeConfig(codebook_size=60000)), "rqvae: levels x codebook_size"),
        (lambda: SlicesConfig(head_share=0.9), "add up"),
        (lambda: SlicesConfig(head_share=1.5), "less than 1"),
        (lambda: SplitConfig(evaluation_fraction=1), "less than 1"),
        (
            lambda: SplitConfig(
                evaluation_start=datetime.datetime.max.replace(
                    tzinfo=datetime.timezone(datetime.timedelta(hours=-5))
                )
            ),
            "there is no such time in UTC",
        ),
        (lambda: ContextConfig(numeric=("a",), categorical=("a",)), "'a' is both"),
        (lambda: ContextConfig(numeric=("item_age_days",), item_age=True), "'item_age_days'"),
        (lambda: RqVaeConfig(levels=0), "RqVaeConfig: levels: 0 is not allowed; input should be g"),
        (lambda: RqVaeConfig(level=4), "RqVaeConfig: level: unknown key; did you mean levels?"),
        (lambda: RqVaeConfig(4), "RqVaeConfig: 4 is not allowed; give fields by their names"),
        (lambda: RqVaeConfig(levels=np.ones((2, 2))), "levels: array([[1., 1.], [1., 1.]]) is not"),
        (lambda: TaskConfig("a b"), "TaskConfig: name: 'a b' is not allowed; use letters"),
        (lambda: TaskConfig(*"abcdefgh"), "TaskConfig: 'h' is not allowed; give fields by their"),
        (lambda: Config(rqvae=3), "Config: rqvae: 3 is not allowed"),
        (lambda: Config(rqvae={"levels": 99}), "Config: rqvae.levels: 99 is not allowed"),
        (lambda: Config(rqvea=3), "Config: rqvea: unknown key; did you mean rqvae?"),
        (lambda: Config(representation={"name": "sid"}), "representation.name: 'sid' is not"),
        (lambda: RankerConfig(model="a" * 500 + "!"), f"model: '{'a' * 199}… is not allowed"),
        (lambda: RankerConfig(epochs=0), "epochs"),
        (lambda: RankerConfig(epoch=3), "epoch"),
        (lambda: RankerConfig(bottom="mmoe", bottom_widths=()), "one layer"),
    ],
)
def test_python_is_refused_what_yaml_is(make, fact):
    with pytest.raises(InputError) as caught:
        make()
    assert fact in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_configuration_is_read_without_tensorflow():
    code = """
import sys
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.trainer.ranker.representations import SidHybrid
load_config(None, ["representation={name: sid_hybrid, rows: 64}"])
SidHybrid(rows=64).table_rows(4, 256)
print(sorted({"tensorflow", "tf_keras", "tfx"} & set(sys.modules)))
"""
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True
    )
    assert printed.stdout == "[]\n"


def test_an_error_names_the_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("rqvae: {levels: 99}\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: rqvae\.levels: 99"):
        load_config(str(path))


@pytest.mark.parametrize(
    ("content", "fact"), [("- a\n", "holds a list"), ("a: [", "not valid YAML")]
)
def test_a_file_that_is_no_mapping(tmp_path, content, fact):
    path = tmp_path / "c.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=fact):
        load_config(str(path))


def test_no_such_file():
    with pytest.raises(ConfigError, match=r"missing\.yaml: cannot be read"):
        load_config("missing.yaml")
