"""DuckDB's join of what the join's benchmark joins."""

import time

from benchmarks.join_world import DAY


def duckdb_join(folder: str, history: int = 20) -> dict[str, float]:
    """Joins each impression with its user's last positives of the days before, on one thread.

    Args:
        folder: What `write_world` wrote.
        history: Events, at most.

    Returns:
        `cpu_seconds`.
    """
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    before = time.process_time()
    connection.execute(
        f"""
        COPY (
          WITH log AS (SELECT *, timestamp // {DAY} AS day FROM '{folder}/log.parquet'),
          days AS (
            SELECT user_id, day, list({{'t': timestamp, 'i': item_id}}
                   ORDER BY timestamp DESC, item_id DESC) FILTER (click = 1) AS events
            FROM log GROUP BY user_id, day),
          past AS (
            SELECT user_id, day, list_slice(flatten(list_reverse(
                   list(coalesce(events, [])) OVER (PARTITION BY user_id ORDER BY day
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))), 1, {history}) AS history
            FROM days)
          SELECT log.*, sids.sid, [e.i FOR e IN past.history] AS history
          FROM log JOIN past USING (user_id, day)
          JOIN (SELECT item_id::BLOB AS item_id, sid FROM '{folder}/sids/sids.parquet') AS sids
          USING (item_id)
        ) TO '{folder}/peer.parquet'
        """
    )
    return {"cpu_seconds": time.process_time() - before}
