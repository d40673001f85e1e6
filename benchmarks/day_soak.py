"""Days, a refresh and a rollback under requests without end, undisturbed and with SIGKILLs.

`make bench-days-soak` writes `benchmarks/out/day_soak.json` after each command, and prints it at
the end. Two arms do the same commands on a made-up log: `sid run`, 14 times `sid day`, after the
seventh `sid refresh`, after the tenth `sid push --rollback`, after the twelfth and at the end
`sid gc`, each in a process of its own. In the second arm 20 SIGKILLs come at random moments, and a
command is repeated until it ends. A `sid serve` follows what is released, and a client ranks.
Expect of both arms no failed request and no answer from two SID spaces, of the undisturbed days the
verdict "keep", and the same state at the end.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import tempfile
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Annotated
from typing import Any

import numpy as np
import tensorflow as tf
import typer

from benchmarks import command
from benchmarks.kills import Kills
from benchmarks.sid_process import run_sid
from benchmarks.sid_server import SidServer
from benchmarks.soak_client import CANDIDATES
from benchmarks.soak_client import Catalogue
from benchmarks.soak_client import NOBODY
from benchmarks.soak_client import SoakClient
from benchmarks.soak_log import SoakLog
from benchmarks.soak_report import Interval
from benchmarks.soak_report import summarize
from benchmarks.soak_state import differences
from benchmarks.soak_state import final_state
from benchmarks.soak_state import read_sids
from semantic_id_ranking.components.releaser.journal import JOURNAL
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.version_folders import RELEASE
from semantic_id_ranking.pipeline import exit_status
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.store import open_store

_CONFIG = """
tasks: [{name: click, label: click}]
context: {counters: true}
rqvae: {levels: 3, codebook_size: 16, epochs: 5, batch_size: 64}
representation: {rows: 160}
ranker:
  embedding_dim: 16
  cross_layers: 1
  bottom_widths: [32]
  head_widths: [16]
  epochs: 4
  batch_size: 64
  learning_rate: 0.003
  table_learning_rate: 0.1
  checkpoint_steps: 3
days: {replay: 5}
thresholds: [{task: click, value: 0.5}]
"""
_LOG_DAYS = 6
#: Seconds with requests and without commands, at the begin, before the rollback and at the end.
_IDLE_SECONDS = 20.0


@dataclasses.dataclass(frozen=True)
class Command:
    """A command of `sid`.

    Attributes:
        name: Its name, and the day.
        arguments: Its arguments.
    """

    name: str
    arguments: Sequence[str]


class Arm:
    """An output folder, what serves it, and the client.

    Args:
        folder: Where it all goes.
        log: The log.
    """

    def __init__(self, folder: pathlib.Path, log: SoakLog):
        folder.mkdir()
        self._folder, self._log = folder, log
        self.output = str(folder / "output")
        self._serving = os.path.join(self.output, "serving")
        self.store = str(folder / "sids.sqlite")
        self._config = folder / "config.yaml"
        self._config.write_text(_CONFIG, encoding="utf-8")
        self.commands: list[dict[str, Any]] = []
        #: Fingerprint of each version of the ranker; Semantic IDs of all items in each space.
        self._spaces: dict[int, str] = {}
        self._sids: dict[str, dict[str, list[int]]] = {}
        self._renamed = 0

    def plan(self, days: int, refresh_after: int, rollback_after: int) -> list[Command]:
        """The commands, of which the first one is the run of the log."""
        log, output = self._log, ["--output", self.output]

        def inputs(begin: int, end: int) -> list[str]:
            return ["--items", log.items(end), "--impressions", log.impressions(begin, end)]

        settings = ["--config", str(self._config), "--set", f"serving.store=sqlite:///{self.store}"]
        plan = [Command("run", ["run", *inputs(0, _LOG_DAYS), *output, *settings])]
        for number in range(1, days + 1):
            day = _LOG_DAYS + number - 1
            plan.append(Command(f"day {number}", ["day", *inputs(day, day + 1), *output]))
            if number == refresh_after:
                items = ["--items", log.items(day + 1)]
                plan.append(Command("refresh", ["refresh", *items, *output]))
            if number == rollback_after:
                rollback = ["push", "--rollback", "--models", self._serving]
                plan.append(Command("rollback", rollback))
            if number == days - 2:
                plan.append(Command("gc", ["gc", self.output, "--keep", "3"]))
        return [*plan, Command("gc", ["gc", self.output, "--keep", "3"])]

    def run(self, plan: Sequence[Command], kills: Kills | None) -> dict[str, Any]:
        """Does the commands under requests; returns what came of it."""
        first, *others = plan
        self._repeat(0, first, kills)
        catalogue = Catalogue(
            dict(zip(self._log.item_ids, self._log.embeddings.tolist(), strict=True)),
            [self._log.item_ids[row] for row in np.flatnonzero(self._log.is_old)],
            self._log.users,
        )
        with SidServer(self._serving, log=str(self._folder / "serve.txt")) as server:
            store, answers = f"sqlite:///{self.store}", str(self._folder / "answers.json")
            client = SoakClient(server.address, store, catalogue, answers)
            try:
                time.sleep(_IDLE_SECONDS)
                for number, one in enumerate(others, 1):
                    if one.name == "rollback":  # Of a version that has answered.
                        time.sleep(_IDLE_SECONDS)
                    self._repeat(number, one, kills)
                time.sleep(_IDLE_SECONDS)
            finally:
                answered = client.stop()
            scores = self._probe(server.address, catalogue)
        intervals = [Interval(**one["interval"]) for one in self.commands[1:]]
        return {
            "commands": self.commands,
            "kills": kills.done if kills else [],
            "items_renamed": self._renamed,
            "requests": summarize(answered, intervals, self._spaces, self._sids),
            "scores": scores,
        }

    def _repeat(self, number: int, one: Command, kills: Kills | None) -> None:
        """Does a command, again and again until it is not killed."""
        begin, times = time.time(), 0
        before = self._served()
        while True:
            status = self._execute(one, kills and kills.moment(number))
            self._look()
            if status is not None or self._is_rolled_back(one, before):
                break
            times += 1
            kills.done.append((one.name, time.time() - begin))
        end = time.time()
        released = os.path.getmtime(os.path.join(self._serving, RELEASE))
        self.commands.append(
            {
                "name": one.name,
                "status": status,
                "kills": times,
                "seconds": end - begin,
                "interval": {
                    "begin": begin,
                    "end": end,
                    "released": released if released > begin else None,
                },
            }
        )
        print(f"{one.name}: {end - begin:.0f} s, killed {times} times", flush=True)

    def _execute(self, one: Command, moment: float | None) -> int | None:
        """The exit status of a command; None where it was killed."""
        log = str(self._folder / "log.txt")
        status = run_sid(one.arguments, log, moment)
        if status not in (None, 0, exit_status.NOT_BLESSED):
            raise RuntimeError(f"{one.name}: exit status {status}; see {log}")
        return status

    def _served(self) -> int | None:
        versions = VersionFolder(os.path.join(self._serving, "ranker")).versions()
        return versions[-1] if versions else None

    def _is_rolled_back(self, one: Command, before: int | None) -> bool:
        """Whether a killed rollback has happened: another one would go back further."""
        journal = os.path.join(self._serving, JOURNAL)
        return one.name == "rollback" and self._served() != before and not os.path.exists(journal)

    def _look(self) -> None:
        """Keeps in mind which version is of which space, and the Semantic IDs of that."""
        rankers = VersionFolder(os.path.join(self._serving, "ranker"))
        for version in rankers.versions():
            self._spaces[version] = rankers.fingerprint(version)
        for release in read_releases(self._serving)[:1]:
            if release.fingerprint not in self._sids:
                encoder = os.path.join(self.output, release.models["semantic_id"])
                self._sids[release.fingerprint] = self._encode(encoder)
            known = self._sids[release.fingerprint]
            table = read_sids(os.path.join(self.output, release.semantic_ids))
            self._renamed += sum(known[item] != sid for item, sid in table.items())

    def _encode(self, path: str) -> dict[str, list[int]]:
        encoder = tf.saved_model.load(path).signatures["serving_default"]
        sids = encoder(embedding=tf.constant(self._log.embeddings))["sid"].numpy()
        return dict(zip(self._log.item_ids, sids.tolist(), strict=True))

    def _probe(self, address: str, catalogue: Catalogue) -> list[float]:
        """Scores of 20 items for each user, by what is served and stored in the end."""
        rng, scores = np.random.default_rng(1), []
        with (
            open_store(f"sqlite:///{self.store}") as store,
            RankerClient(address, store=store, timeout=30.0) as client,
        ):
            for user in (*catalogue.users, None):
                items = rng.choice(list(catalogue.items), CANDIDATES, False).tolist()
                options = {"user": user} if user else {"context": NOBODY}
                ranking = client.rank_items(items, embeddings=catalogue.items, **options)
                by_item = {row.item_id: row.scores["click"] for row in ranking.items}
                scores += [by_item[item] for item in items]
        return scores


def _verdicts(output: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for day in Ledger.open(output).days[1:]:
        if day.verdict is not None:
            counts[day.verdict["verdict"]] = counts.get(day.verdict["verdict"], 0) + 1
    return counts


def main(
    days: Annotated[int, typer.Option(help="Days after the log.", min=3)] = 14,
    refresh_after: Annotated[int, typer.Option(help="Days before the refresh.", min=1)] = 7,
    rollback_after: Annotated[int, typer.Option(help="Days before the rollback.", min=1)] = 10,
    kills: Annotated[int, typer.Option(help="SIGKILLs of the second arm.", min=0)] = 20,
    impressions: Annotated[int, typer.Option(help="Impressions of a day.", min=100)] = 400,
    seed: Annotated[int, typer.Option(help="Of the moments of the SIGKILLs.")] = 0,
    output: Annotated[str, typer.Option(help="JSON file.")] = "benchmarks/out/day_soak.json",
    work: Annotated[
        str | None, typer.Option(help="Folder of the runs, new; without it they are removed.")
    ] = None,
) -> None:
    """Lives through days, a refresh, a rollback and SIGKILLs, under requests without end."""
    report: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        temporary = work or stack.enter_context(tempfile.TemporaryDirectory())
        folder = pathlib.Path(temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        log = SoakLog(folder, _LOG_DAYS + days, impressions)
        states, scores, seconds = [], [], []
        make_kills: dict[str, Callable[[], Kills | None]] = {
            "undisturbed": lambda: None,
            "killed": lambda: Kills(seconds, kills, seed),
        }
        for name, kills_of in make_kills.items():
            arm = Arm(folder / name, log)
            came_of_it = arm.run(arm.plan(days, refresh_after, rollback_after), kills_of())
            scores.append(np.array(came_of_it.pop("scores")))
            states.append(final_state(arm.output, arm.store))
            seconds = [one["seconds"] for one in arm.commands]
            report[name] = {
                **came_of_it,
                "verdicts": _verdicts(arm.output),
                "artifacts": states[-1]["artifacts"],
                "files": states[-1]["files"],
            }
            command.write_json(output, report)
        report["equal"] = {
            **differences(*states),
            "scores": float(np.abs(scores[0] - scores[1]).max()),
        }
        command.write_json(output, report)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    command.run(main)
