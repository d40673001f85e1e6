"""Records of a run in ML Metadata: each component's outputs."""

import dataclasses

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2


@dataclasses.dataclass(frozen=True)
class Output:
    """One output artifact of a component.

    Attributes:
        uri: Its folder.
        properties: Its custom properties.
    """

    uri: str
    properties: dict[str, int | float | str]


#: Custom property of a run that got to its end.
_FINISHED = "finished"


def open_metadata(path: str) -> metadata_store.MetadataStore:
    """Opens ML Metadata in a SQLite file, which is made if need be."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = path
    config.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    return metadata_store.MetadataStore(config)


def finished_runs(store: metadata_store.MetadataStore) -> list[metadata_store_pb2.Context]:
    """The runs that were marked as finished, oldest first."""
    runs = store.get_contexts_by_type("pipeline_run")
    return sorted(
        (run for run in runs if run.custom_properties[_FINISHED].int_value), key=lambda run: run.id
    )


class RunRecords:
    """The outputs of a run in a SQLite metadata file.

    Args:
        path: The file.
        run_id: The run; None takes the one that began last.

    Attributes:
        run_id: The run.

    Raises:
        LookupError: It records no such run.
    """

    def __init__(self, path: str, run_id: str | None = None):
        self._store = open_metadata(path)
        runs = [
            run
            for run in self._store.get_contexts_by_type("pipeline_run")
            if run_id in (None, run.name)
        ]
        if not runs:
            raise LookupError(f"{path}: records no run" + (f" {run_id}" if run_id else ""))
        self._run = max(runs, key=lambda context: context.id)
        self.run_id: str = self._run.name
        self._executions = {
            self._node(execution): execution
            for execution in self._store.get_executions_by_context(self._run.id)
        }

    def mark_finished(self) -> None:
        """Records that the run got to its end: `sid gc` may keep it."""
        self._run.custom_properties[_FINISHED].int_value = 1
        self._store.put_contexts([self._run])

    def cached(self) -> list[str]:
        """Ids of the components that were answered from the cache."""
        return [
            node
            for node, execution in self._executions.items()
            if execution.last_known_state == metadata_store_pb2.Execution.CACHED
        ]

    def output(self, node: str, key: str) -> Output:
        """An output of a component.

        Args:
            node: The component's id.
            key: The output's name.

        Raises:
            KeyError: The run has no such component or the component no such output.
        """
        events = self._store.get_events_by_execution_ids([self._executions[node].id])
        kinds = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
        ids = [e.artifact_id for e in events if e.type in kinds and e.path.steps[0].key == key]
        if not ids:
            raise KeyError(f"{node} has no output {key}")
        (artifact,) = self._store.get_artifacts_by_id(ids)
        properties = {
            name: getattr(value, value.WhichOneof("value"))
            for name, value in artifact.custom_properties.items()
        }
        return Output(artifact.uri, properties)

    def _node(self, execution: metadata_store_pb2.Execution) -> str:
        contexts = self._store.get_contexts_by_execution(execution.id)
        name = next(context.name for context in contexts if context.type == "node")
        # A node's context is named `<pipeline>.<node>`; both may hold dots.
        pipeline = next(context.name for context in contexts if context.type == "pipeline")
        return name.removeprefix(f"{pipeline}.")
