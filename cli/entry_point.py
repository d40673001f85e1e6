"""Entry point of the command `sid`, which starts without the extra that its commands need."""

import sys

from semantic_id_ranking.cli.extras import extra_sentence


def main() -> None:
    """Runs the command line, or says in one sentence which extra brings what it lacks."""
    try:
        from semantic_id_ranking.cli.main import main as run
    except ModuleNotFoundError as error:
        sentence = extra_sentence(error)
        if sentence is None:
            raise
        print(f"sid: {sentence}", file=sys.stderr)
        sys.exit(2)
    run()
