"""Every metric of a table of predictions, computed anew, one user and one pair at a time."""

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.evaluation import predictions as lib

EPSILON = np.finfo(np.float64).eps


def slice_rows(frame, task, name):
    """The rows of a slice that have a label of a task."""
    rows = frame[frame[f"weight_{task}"] > 0]
    return rows if name == "all" else rows[rows[f"slice_{name}"]]


def binary_metrics(rows, task, model):
    """AUC, GAUC, nDCG, log-loss, normalised entropy, ECE; None where there is none."""
    label, score = f"label_{task}", f"score_{model}_{task}"
    labels, scores = rows[label].to_numpy(), rows[score].to_numpy(np.float64)
    found = dict.fromkeys(("auc", "gauc", "ndcg_at_5", "ndcg_at_10", "normalized_entropy"))
    found["log_loss"] = log_loss(labels, scores, labels=[0, 1]) if len(rows) else None
    if len(set(labels)) == 2:
        found["auc"] = roc_auc_score(labels, scores)
        base = log_loss(labels, np.full(len(labels), labels.mean(dtype=np.float64)))
        found["normalized_entropy"] = found["log_loss"] / base
    terms = user_aucs(rows, label, score)
    if len(terms):
        found["gauc"] = np.average(terms["auc"], weights=terms["examples"])
    for depth in (5, 10):
        values = user_day_ndcgs(rows, label, score, depth)
        found[f"ndcg_at_{depth}"] = values["ndcg"].mean() if len(values) else None
    found["ece"] = ece(labels, scores) if len(rows) else None
    return found


def user_aucs(rows, label, score):
    """`user_id`, `auc` and `examples` of each user of both classes."""
    found = [
        (user, roc_auc_score(of_user[label], of_user[score]), len(of_user))
        for user, of_user in rows.groupby("user_id")
        if of_user[label].nunique() == 2
    ]
    return pd.DataFrame(found, columns=["user_id", "auc", "examples"])


def user_day_ndcgs(rows, label, score, depth):
    """`user_id` and `ndcg` of each user's day with a positive, mean over 0/1 gains within ties."""
    found = []
    days = rows["timestamp"].dt.floor("D")
    for (user, _), of_day in rows.groupby(["user_id", days]):
        if not of_day[label].any():
            continue
        ordered = of_day.sort_values(score, ascending=False)
        # In a random order of equal scores each has the mean gain of all of them.
        gains = ordered.groupby(score)[label].transform("mean").to_numpy(np.float64)
        ideal = np.sort(of_day[label].to_numpy(np.float64))[::-1]
        discounts = 1 / np.log2(np.arange(min(depth, len(gains))) + 2)
        dcg, best = (np.dot(g[: len(discounts)], discounts) for g in (gains, ideal))
        found.append((user, dcg / best))
    return pd.DataFrame(found, columns=["user_id", "ndcg"])


def ece(labels, scores, bins=20):
    """Bins by the rank of the score, equal ranks at their middle."""
    middle = pd.Series(scores).rank(method="average").to_numpy() - 0.5
    number = np.floor(middle * bins / len(scores)).astype(int)
    gaps = pd.DataFrame({"number": number, "gap": scores - labels}).groupby("number")["gap"].sum()
    return gaps.abs().sum() / len(scores)


def clusters(frame):
    """The clusters of a table's users, each impression without one alone, and of its items."""
    user, _ = lib.user_digests(
        np.array([(u or "").encode() for u in frame["user_id"]], object), 0, 0
    )
    item = lib.item_digests(np.array([i.encode() for i in frame["item_id"]], object))
    return lib.clusters_of(user), lib.clusters_of(item)


def auc_difference_error(labels, first, second, *clusterings):
    """Standard error of a difference of AUCs, from every pair of a positive and a negative."""
    positive = labels > 0
    total = 0.0
    placements = []
    for scores in (first, second):
        wins = np.sign(scores[positive][:, None] - scores[~positive][None, :]) / 2 + 0.5
        placements.append((wins.mean(axis=1), wins.mean(axis=0), wins.mean()))
    (a1, b1, auc1), (a2, b2, auc2) = placements
    influence = np.empty(len(labels))
    influence[positive] = (a1 - a2 - (auc1 - auc2)) / positive.sum()
    influence[~positive] = (b1 - b2 - (auc1 - auc2)) / (~positive).sum()
    frame = pd.DataFrame(
        {
            "positive": np.where(positive, influence, 0),
            "negative": np.where(positive, 0, influence),
            "of_positive": positive,
            "of_negative": ~positive,
        }
    )
    for cluster in clusterings:
        sums = frame.groupby(cluster).sum()
        p, n, c = (sums["of_positive"] > 0).sum(), (sums["of_negative"] > 0).sum(), len(sums)
        total += p / (p - 1) * (sums["positive"] ** 2).sum()
        total += n / (n - 1) * (sums["negative"] ** 2).sum()
        total += 2 * c / (c - 1) * (sums["positive"] * sums["negative"]).sum()
    return np.sqrt(total)


def check_report(report, frame):
    """Compares every metric of every task, slice and model of a report with these."""
    frame = frame.reset_index(drop=True)
    user_cluster, item_cluster = clusters(frame)
    for task, of_task in report["tasks"].items():
        for name, of_slice in of_task["slices"].items():
            rows = slice_rows(frame, task, name)
            labels = rows[f"label_{task}"].to_numpy(np.float64)
            assert of_slice["examples"] == len(rows)
            assert of_slice["users"] == rows["user_id"].nunique()
            assert of_slice["items"] == rows["item_id"].nunique()
            for model, values in of_slice["models"].items():
                scores = rows[f"score_{model}_{task}"].to_numpy(np.float64)
                _check_means(values, labels, scores)
                for day, of_day in values["days"].items():
                    mask = (rows["timestamp"].dt.strftime("%Y-%m-%d") == day).to_numpy()
                    assert of_day["examples"] == mask.sum() > 0
                    _check_means(of_day, labels[mask], scores[mask])
                assert sum(day["examples"] for day in values["days"].values()) == len(rows)
                if of_task["type"] == "regression":
                    exact = {"rmse": np.sqrt(((scores - labels) ** 2).mean())} if len(rows) else {}
                else:
                    assert of_slice["positives"] == labels.sum()
                    assert of_slice["negatives"] == (labels == 0).sum()
                    exact = binary_metrics(rows, task, model)
                for metric, value in exact.items():
                    _close(values[metric], value, 2e-6 if metric == "auc" else 1e-9)
            if of_task["type"] == "regression":
                continue
            for other, differences in of_slice["differences"].items():
                if differences["auc"]["estimate"] is None:
                    continue
                found = differences["auc"]
                keep = rows.index.to_numpy()
                clusterings = [user_cluster[keep]] + ([] if name == "all" else [item_cluster[keep]])
                error = auc_difference_error(
                    labels,
                    *(rows[f"score_{m}_{task}"].to_numpy() for m in (report["candidate"], other)),
                    *clusterings,
                )
                _close((found["high"] - found["low"]) / 2, 1.959964 * error, 1e-6)


def _check_means(values, labels, scores):
    _close(values["mean_prediction"], scores.mean() if len(scores) else None)
    _close(values["mean_label"], labels.mean() if len(scores) else None)
    ratio = scores.sum() / labels.sum() if labels.any() else None
    _close(values["prediction_over_label"], ratio)


def _close(found, expected, tolerance=1e-9):
    if expected is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
