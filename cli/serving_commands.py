"""The commands of `sid` for serving: models, Semantic IDs in a store, and ranking."""

from typing import Annotated

import rich.console
import typer

from semantic_id_ranking.cli.output import AsJson
from semantic_id_ranking.cli.output import Output
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.serving.store.store_url import store_url

app = typer.Typer()

_STORE_URL = (
    "sqlite:///path, redis://user:password@host:port/database or rediss://…; or env:NAME, the "
    "environment variable that holds it, or file:PATH"
)
TlsKey = Annotated[str | None, typer.Option(help="PEM file of its private key.")]
StoreTimeout = Annotated[
    float, typer.Option(help="Seconds that one operation of the store may take.", min=0.1)
]


@app.command()
def serve(
    models: Annotated[
        str | None, typer.Option(help="Folder with a base folder for each model.")
    ] = None,
    models_config: Annotated[
        str | None, typer.Option(help="A models.config instead; it is followed when it changes.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="gRPC port; 0 takes a free one.")] = 8500,
    rest_port: Annotated[
        int | None, typer.Option(help="REST port; 0 takes a free one. Without it, no REST.")
    ] = None,
    socket_path: Annotated[
        str | None, typer.Option(help="Unix socket for gRPC besides the port.")
    ] = None,
    channel_arguments: Annotated[
        str | None,
        typer.Option(
            help="gRPC channel arguments of the server, key=value,key=value, such as "
            "grpc.max_connection_age_ms=2000."
        ),
    ] = None,
    monitoring_config: Annotated[
        str | None,
        typer.Option(help="Text proto; without it metrics are on the REST port."),
    ] = None,
    allow_unavailable_labels: Annotated[
        bool,
        typer.Option(
            "--allow-unavailable-labels",
            help="New version labels may name versions not served yet.",
        ),
    ] = False,
    strict_shapes: Annotated[
        bool,
        typer.Option(
            "--strict-shapes",
            help="Refuse shapes other than the signature declares, before any operation runs.",
        ),
    ] = False,
    reflection: Annotated[
        bool | None,
        typer.Option(
            "--reflection/--no-reflection",
            help="Tell over gRPC which services and messages there are. Without either option, "
            "only at a loopback address.",
        ),
    ] = None,
    reload: Annotated[
        bool | None,
        typer.Option(
            "--reload/--no-reload",
            help="Let callers change what is served (HandleReloadConfigRequest), from any folder "
            "of this machine. Without either option, only at a loopback address.",
        ),
    ] = None,
    poll_seconds: Annotated[
        float,
        typer.Option(
            help="Seconds between two looks for new versions; 0 looks once, at the start.", min=0
        ),
    ] = 1.0,
    max_message_mib: Annotated[
        int, typer.Option(help="Largest request or answer over gRPC, in MiB.", min=1)
    ] = 64,
    max_body_mib: Annotated[
        int, typer.Option(help="Largest body of a REST request, inflated, in MiB.", min=1)
    ] = 8,
    body_seconds: Annotated[
        float, typer.Option(help="Seconds that such a body may take to come.", min=0.1)
    ] = 30.0,
    max_requests: Annotated[
        int,
        typer.Option(help="Requests in progress at once on each port; more are refused.", min=1),
    ] = 128,
    tls_certificate: Annotated[
        str | None, typer.Option(help="PEM file of the server's certificate; turns TLS on.")
    ] = None,
    tls_key: TlsKey = None,
    tls_client_authority: Annotated[
        str | None,
        typer.Option(help="PEM file of the authorities of clients' certificates, for mutual TLS."),
    ] = None,
    grace_seconds: Annotated[
        float, typer.Option(help="Seconds that requests in progress get at the end.", min=0)
    ] = 30.0,
) -> None:
    """Serves pushed models on this machine; production runs TensorFlow Serving."""
    options = dict(locals())  # A field each of ServeOptions.
    from semantic_id_ranking.cli import serve as serve_lib

    serve_lib.serve(serve_lib.ServeOptions(**options), rich.console.Console())


@app.command()
def rank(
    run: Annotated[str, typer.Option(help="Output folder of a run, whose items are ranked.")],
    user: Annotated[
        str, typer.Option(help="The user, whose history at the end of the log counts.")
    ],
    candidates: Annotated[
        str | None,
        typer.Option(
            help="Text file with an item_id a line, or Parquet with item_id and, for items that "
            "the run does not know, embedding and title. Without it: 500 items of the run."
        ),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            help="column=value of a context column that the ranker reads; may be repeated."
        ),
    ] = None,
    top: Annotated[int, typer.Option(help="Items to list.", min=1)] = 10,
    address: Annotated[str, typer.Option(help="Host and port of the model server.")] = (
        "127.0.0.1:8500"
    ),
    store: Annotated[
        str | None,
        typer.Option(
            help=f"Store of Semantic IDs: {_STORE_URL}. Without it, a SQLite file in the run's "
            "folder."
        ),
    ] = None,
    tls_authority: Annotated[
        str | None,
        typer.Option(help="PEM file of the authority of the server's certificate; turns TLS on."),
    ] = None,
    tls_certificate: Annotated[
        str | None, typer.Option(help="PEM file of a certificate of one's own, for mutual TLS.")
    ] = None,
    tls_key: TlsKey = None,
    as_json: AsJson = False,
) -> None:
    """Ranks items for a user through a model server that runs already."""
    from semantic_id_ranking.cli import rank as rank_lib

    tls = rank_lib.client_tls(tls_authority, tls_certificate, tls_key)
    url = store and store_url(store)
    output = Output(as_json)
    output.result(
        rank_lib.rank(run, user, candidates, context or (), top, address, output.console, url, tls)
    )


@app.command()
def publish(
    sids: Annotated[
        str, typer.Option(help="Folder or Parquet file of Semantic IDs, as sid encode makes them.")
    ],
    store: Annotated[str, typer.Option(help=_STORE_URL)],
    timeout: StoreTimeout = 60.0,
    as_json: AsJson = False,
) -> None:
    """Loads Semantic IDs into the store that serving reads; goes on where it was interrupted."""
    from semantic_id_ranking.cli import publish as publish_lib

    output = Output(as_json)
    output.result(publish_lib.publish(sids, store_url(store), timeout, output.console))


@app.command()
def store(
    url: Annotated[str, typer.Argument(help=_STORE_URL)],
    drop: Annotated[
        str | None,
        typer.Option(help="Fingerprint of a space to remove, with all its Semantic IDs."),
    ] = None,
    timeout: StoreTimeout = 60.0,
    as_json: AsJson = False,
) -> None:
    """Lists the SID spaces of the store that serving reads, or removes one."""
    from semantic_id_ranking.cli import store as store_lib

    output = Output(as_json)
    output.result(store_lib.store(store_url(url), drop, timeout, output.console))


@app.command()
def push(
    run: Annotated[
        str | None,
        typer.Option(help="Output folder of runs: releases the models of its newest blessed one."),
    ] = None,
    rollback: Annotated[
        bool,
        typer.Option("--rollback", help="Go back to the version that was pushed before."),
    ] = False,
    models: Annotated[
        str | None, typer.Option(help="With --rollback: folder with a base folder for each model.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="With --rollback: one model; without it, all of them together."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Releases a finished run again, or takes back what was released last."""
    output = Output(as_json)
    if rollback and models and not run:
        from semantic_id_ranking.cli import push as push_lib

        output.result(push_lib.rollback(models, model, output.console))
    elif run and not (rollback or models or model):
        from semantic_id_ranking.cli import push_run as push_run_lib

        output.result(push_run_lib.push_run(run, output.console))
    else:
        raise InputError(
            "sid push: needs --run alone, to release a finished run again, or --rollback and "
            "--models, to go back to the release before"
        )


@app.command(name="check-servable")
def check_servable(
    directory: Annotated[str, typer.Argument(help="A SavedModel, or its base folder.")],
    as_json: AsJson = False,
) -> None:
    """Lists a SavedModel's ops and fails on those that TensorFlow Serving does not have."""
    from semantic_id_ranking.cli import check_servable as check_servable_lib

    output = Output(as_json)
    output.result(check_servable_lib.check_servable(directory, output.console))
