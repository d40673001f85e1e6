"""Plots of a sweep, as SVG."""

import os
from collections.abc import Mapping

import numpy as np

from benchmarks.scores import Scores

_TITLES = {
    "all": "all impressions",
    "new": "items no older than a day",
    "unseen": "items never seen in training",
    "head": "head",
    "torso": "torso",
    "tail": "tail",
}


def draw_plots(scores: Scores, directory: str) -> list[str]:
    """Draws AUC against table rows for each slice, and look-ups by popularity.

    Args:
        scores: Results of the sweep.
        directory: Where the files go.

    Returns:
        Names of the files; none where Matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        print("no plots: Matplotlib is not installed")
        return []
    matplotlib.use("svg")
    # The same file from the same numbers.
    matplotlib.rcParams["svg.hashsalt"] = "semantic-id-ranking"
    names = [_auc(scores, directory, name) for name in _TITLES]
    return [name for name in (*names, _lookups(scores, directory)) if name]


def _auc(scores: Scores, directory: str, name: str) -> str | None:
    """AUC against table rows: the mean over the seeds, and a bar from the least to the greatest."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    empty = True
    for i, (label, budgets) in enumerate(scores.tried().items()):
        points = []
        for rows in budgets:
            results = scores.of(label, rows)
            aucs = [scores.auc(result, name) for result in results]
            if aucs and None not in aucs:
                points.append((results[0].table_rows, np.mean(aucs), min(aucs), max(aucs)))
        if not points:
            continue
        empty = False
        x, mean, low, high = np.array(points).T
        # A table without rows is not on a logarithmic axis: its AUC is a line.
        if x.max() == 0:
            axes.axhline(mean[0], label=label, color=_color(i), linestyle=":")
            continue
        axes.errorbar(
            x, mean, [mean - low, high - mean], label=label, color=_color(i), marker="o", capsize=2
        )
    if empty:
        plt.close(figure)
        return None
    axes.set_xscale("log", base=2)
    axes.set(xlabel="table rows", ylabel="AUC", title=_TITLES[name])
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize="small")
    return _save(figure, directory, f"auc_{name}.svg")


def _lookups(scores: Scores, directory: str) -> str:
    """Mean look-ups of head, torso and tail items, at each representation's largest table."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    by_label: Mapping[str, list[int]] = scores.tried()
    groups = ("head", "torso", "tail")
    for i, (label, budgets) in enumerate(by_label.items()):
        results = scores.of(label, budgets[-1])
        if not results:
            continue
        means = [np.mean([result.lookups[group] or 0 for result in results]) for group in groups]
        positions = np.arange(len(groups)) + (i - len(by_label) / 2) * 0.8 / len(by_label)
        axes.bar(
            positions, means, width=0.8 / len(by_label), align="edge", label=label, color=_color(i)
        )
    axes.set_xticks(range(len(groups)), groups)
    axes.set(ylabel="mean look-ups of an item", title="look-ups by popularity, largest tables")
    figure.legend(loc="outside right upper", fontsize="small")
    return _save(figure, directory, "lookups.svg")


def _color(number: int) -> tuple[float, ...]:
    """One of twenty colours."""
    import matplotlib

    return matplotlib.colormaps["tab20"](number % 20)


def _save(figure: object, directory: str, name: str) -> str:
    import matplotlib.pyplot as plt

    # Without a date, so that equal results give equal files.
    figure.savefig(os.path.join(directory, name), metadata={"Date": None})
    plt.close(figure)
    return name
