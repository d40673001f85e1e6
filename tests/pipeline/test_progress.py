import logging

import pytest

from semantic_id_ranking.pipeline.progress import Progress


@pytest.fixture
def lines():
    return []


def feed(progress, *messages):
    for message in messages:
        progress.emit(logging.LogRecord("absl", logging.INFO, "", 0, message, (), None))


def test_says_which_component_runs_how_far_it_is_and_how_long_it_took(lines):
    times = iter([0.0, 2.0, 2.0, 2.1, 5.0])
    progress = Progress(["ItemGen", "Trainer.rqvae"], lines.append, lambda: next(times))
    feed(
        progress,
        "Component Trainer.rqvae is running.",
        "rqvae: epoch 1 of 24, reconstruction 0.4000",
        "rqvae: epoch 2 of 24, reconstruction 0.3000",
        "Component Trainer.rqvae is finished.",
    )
    assert lines == [
        "[ 2/2] Trainer.rqvae …",
        "[ 2/2] Trainer.rqvae: epoch 1 of 24, reconstruction 0.4000",
        "[ 2/2] Trainer.rqvae 5.0 s",
    ]
    assert progress.seconds == {"Trainer.rqvae": 5.0}


def test_other_lines_show_nothing_and_a_failed_component_stays_named(lines):
    progress = Progress(["ItemGen"], lines.append)
    feed(progress, "Component ItemGen is running.", "Processing input csv data")
    assert len(lines) == 1
    assert progress.running == "ItemGen"
    assert progress.seconds == {}
