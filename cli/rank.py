"""`sid rank`: items of a run ranked for a user, through a model server."""

import os
import random
import time
import urllib.parse
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TYPE_CHECKING

import rich.console
import rich.table

from semantic_id_ranking.cli.candidates import Candidates
from semantic_id_ranking.cli.catalogue import Catalogue
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.terminal import cell
from semantic_id_ranking.pipeline.terminal import printable
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import StoreError

if TYPE_CHECKING:
    from semantic_id_ranking.serving.client import ClientTls

_DEFAULT_CANDIDATES = 500
_RUN_STORE = "sids.sqlite"
_SOURCES = {"store": "stored", "encoded": "encoded live", "unknown": "unknown", None: "not needed"}


def rank(
    run: str,
    user: str,
    candidates: str | None,
    context: Sequence[str],
    top: int,
    address: str,
    console: rich.console.Console,
    store: str | None = None,
    tls: "ClientTls | None" = None,
) -> dict[str, Any]:
    """Ranks and shows.

    Args:
        run: Output folder of a run.
        user: The user.
        candidates: File of candidates; None takes some of the run's items at random.
        context: `column=value` for each context column of the run.
        top: Items to list.
        address: host:port of the model server.
        console: Where to show them.
        store: URL of the store of Semantic IDs; None takes the run's own, see `open_run_store`.
        tls: How to speak TLS to the model server; None: not at all.

    Returns:
        The ranking, as `show_ranking` returns it.

    Raises:
        InputError: A file is missing or of the wrong form, the server or the store does not answer,
            or they are of another SID space than the run.
    """
    catalogue = Catalogue.load(run)
    if candidates is None:
        known = sorted(catalogue.item_ids)
        chosen = Candidates(random.Random(0).sample(known, min(_DEFAULT_CANDIDATES, len(known))))
    else:
        chosen = Candidates.load(candidates)
    values = catalogue.context(context)
    # TensorFlow comes with it, which takes seconds: earlier errors are reported at once.
    from semantic_id_ranking.serving.client import ModelCallError
    from semantic_id_ranking.serving.client import ServedSpaceError

    try:
        with open_store(store) if store else open_run_store(run, catalogue) as sids:
            return show_ranking(
                catalogue, chosen, user, values, top, address, sids, console, tls=tls
            )
    except InputError:
        raise
    except (ModelCallError, ServedSpaceError) as error:
        raise InputError(f"the model server at {address}: {error}") from error
    except (StoreError, ValueError, OSError) as error:
        raise InputError(str(error)) from error


def client_tls(
    authority: str | None, certificate: str | None, key: str | None
) -> "ClientTls | None":
    """TLS as the command line's options say; None where there is none.

    Args:
        authority: PEM file of the authority that signs the server's certificate.
        certificate: PEM file of the client's own certificate.
        key: PEM file of its private key.

    Raises:
        InputError: One option needs another, or a file is missing.
    """
    if bool(certificate) != bool(key):
        raise InputError("sid rank: --tls-certificate and --tls-key need each other")
    if not authority:
        if certificate:
            raise InputError("sid rank: --tls-certificate and --tls-key need --tls-authority")
        return None
    for path in filter(None, (authority, certificate, key)):
        if not os.path.isfile(path):
            raise InputError(f"{path}: no such file")
    from semantic_id_ranking.serving.client import ClientTls

    return ClientTls(server_authority=authority, certificate=certificate, key=key)


def open_run_store(run: str, catalogue: Catalogue) -> SidStore:
    """Opens the SQLite file in a run's folder, which holds the Semantic IDs of its release.

    They are put there, if they are not there yet.

    Args:
        run: Output folder of the run.
        catalogue: What the run released.
    """
    from semantic_id_ranking.components.releaser.publish_sids import load_sids
    from semantic_id_ranking.encoding.sid_batches import SidBatches

    path = os.path.abspath(os.path.join(run, _RUN_STORE))
    store = open_store(f"sqlite:///{urllib.parse.quote(path)}")
    try:
        load_sids(SidBatches.open(catalogue.semantic_ids), store)
    except BaseException:
        store.close()
        raise
    return store


def show_ranking(
    catalogue: Catalogue,
    candidates: Candidates,
    user: str,
    context: Mapping[str, str | float],
    top: int,
    address: str,
    store: SidStore,
    console: rich.console.Console,
    always: Sequence[str] = (),
    tls: "ClientTls | None" = None,
) -> dict[str, Any]:
    """Ranks candidates for a user through a model server and shows the best.

    Args:
        catalogue: Titles and histories.
        candidates: What is ranked.
        user: The user; one without a history is ranked for all the same.
        context: Values of the context columns.
        top: Items to list.
        address: host:port of the model server.
        store: Semantic IDs.
        console: Where to show them.
        always: Items to list whatever their position.
        tls: How to speak TLS to the model server; None: not at all.

    Returns:
        The listed ranking, for `--json`: `user`; `history_items`, their number; `candidates`, their
        number; `milliseconds`; `items`, each with `position` (from 1), `item_id`, `title` or None,
        `scores` by task, and `source` of its Semantic ID, None where the ranker reads none.
    """
    from semantic_id_ranking.serving.client import RankerClient

    history = catalogue.histories.get(user, [])
    titles = {**catalogue.titles, **candidates.titles}
    context = {**context, **catalogue.state_context(candidates.item_ids, user)}
    with RankerClient(
        address, sid_fingerprint=catalogue.fingerprint, store=store, tls=tls
    ) as ranker:
        # The server traces a model at its first request: the second one shows what serving costs.
        for _ in range(2):
            begin = time.monotonic()
            ranking = ranker.rank_items(
                candidates.item_ids,
                history=history,
                history_labels={
                    task: labels.get(user, []) for task, labels in catalogue.history_labels.items()
                },
                context=context,
                embeddings=candidates.embeddings,
                task=catalogue.task,
            )
            milliseconds = 1000 * (time.monotonic() - begin)
    liked = ", ".join(titles.get(item) or item for item in history[:3])
    console.print(
        printable(
            f"user {user}: {len(history)} items in the history"
            + (f", the latest {liked}" if liked else "")
        ),
        highlight=False,
        markup=False,
        emoji=False,
    )
    rows = ranking.items
    table = rich.table.Table(
        title=f"best of {len(rows)} candidates, ranked over gRPC in {milliseconds:.0f} ms",
        title_justify="left",
    )
    tasks = sorted(rows[0].scores, key=lambda task: (task != catalogue.task, task))
    listed = []
    for column in ("position", "item", "title", *tasks, "Semantic ID"):
        table.add_column(column)
    for position, row in enumerate(rows, 1):
        if position <= top or row.item_id in always:
            table.add_row(
                str(position),
                cell(row.item_id),
                cell(titles.get(row.item_id) or ""),
                *(f"{row.scores[task]:.3f}" for task in tasks),
                _SOURCES[row.source],
            )
            listed.append(
                {
                    "position": position,
                    "item_id": row.item_id,
                    "title": titles.get(row.item_id),
                    "scores": {task: float(row.scores[task]) for task in tasks},
                    "source": row.source,
                }
            )
    console.print(table, markup=False)
    return {
        "user": user,
        "history_items": len(history),
        "candidates": len(rows),
        "milliseconds": round(milliseconds, 1),
        "items": listed,
    }
