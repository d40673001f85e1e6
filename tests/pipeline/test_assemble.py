"""Arguments of Beam that a pipeline's components get."""

import tempfile

import pytest
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor

from semantic_id_ranking.pipeline.assemble import beam_arguments
from semantic_id_ranking.pipeline.assemble import LOCAL_BEAM_ARGUMENTS


class Executor(BaseBeamExecutor):
    def Do(self, input_dict, output_dict, exec_properties):  # noqa: N802
        pass


@pytest.mark.parametrize(
    "given",
    [[], ["--runner=FnApiRunner", "--direct_running_mode=multi_processing"]],
    ids=["none", "workers of this machine"],
)
def test_tfx_packs_nothing_for_workers_of_this_machine(given, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    arguments = beam_arguments(given)
    Executor(BaseBeamExecutor.Context(arguments, tmp_dir=str(tmp_path / "run"), unique_id="1"))
    assert not list(tmp_path.iterdir())
    assert set(given) <= set(arguments)


@pytest.mark.parametrize(
    "given",
    [
        ["--runner=FlinkRunner"],
        ["--runner=FnApiRunner", "--setup_file=./setup.py"],
        ["--runner=FnApiRunner", "--sdk_container_image=mine"],
    ],
)
def test_other_arguments_are_as_they_were_given(given):
    assert beam_arguments(given) == given


def test_without_arguments_a_pipeline_runs_in_one_process():
    assert beam_arguments([]) == list(LOCAL_BEAM_ARGUMENTS)
    assert "--direct_running_mode=in_memory" in LOCAL_BEAM_ARGUMENTS
