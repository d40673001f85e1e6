"""A quick TFX pipeline of two components, each of which writes one file."""

import os

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact
from tfx.dsl.component.experimental.annotations import OutputArtifact
from tfx.dsl.component.experimental.annotations import Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples
from tfx.types.standard_artifacts import Model

from semantic_id_ranking.pipeline.destinations import PIPELINE_NAME


@component
def Read(text: Parameter[str], examples: OutputArtifact[Examples]):  # noqa: N802
    """Appends a text to a file: what was there already would stay."""
    with open(os.path.join(examples.uri, "examples.txt"), "a", encoding="utf-8") as file:
        file.write(text)


@component
def Train(  # noqa: N802
    examples: InputArtifact[Examples], epochs: Parameter[int], model: OutputArtifact[Model]
):
    """Repeats the text."""
    if epochs < 0:
        raise RuntimeError("epochs are negative")
    with open(os.path.join(examples.uri, "examples.txt"), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(model.uri, "model.txt"), "a", encoding="utf-8") as file:
        file.write(text * epochs)


def make(destinations, text, epochs):
    """The pipeline."""
    read = Read(text=text)
    train = Train(examples=read.outputs["examples"], epochs=epochs)
    return tfx.dsl.Pipeline(
        pipeline_name=PIPELINE_NAME,
        pipeline_root=destinations.root,
        components=[read, train],
        enable_cache=True,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            destinations.metadata
        ),
    )
