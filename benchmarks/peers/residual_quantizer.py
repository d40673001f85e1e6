"""FAISS's residual quantiser, run in the peers' environment.

Reads a folder with `train.npy` [N, D] and `test.npy` [M, D] (float32) and `requests.json`, a list
of [levels, bits, seed]; writes for run i `reconstructed_<i>.npy` [M, D], and `results.json`, the
seconds of each.
"""

import json
import os
import sys
import time

import faiss
import numpy as np


def main(folder: str) -> None:
    """Trains and decodes one run after the other."""
    train, test = (np.load(os.path.join(folder, f"{name}.npy")) for name in ("train", "test"))
    with open(os.path.join(folder, "requests.json"), encoding="utf-8") as file:
        runs = json.load(file)
    seconds = []
    for number, (levels, bits, seed) in enumerate(runs):
        begin = time.monotonic()
        quantizer = faiss.ResidualQuantizer(train.shape[1], levels, bits)
        quantizer.max_beam_size = 1
        quantizer.cp.seed = 1234 + seed  # 1234 is FAISS's own.
        # It says of every k-means that more items would be better.
        quantizer.cp.min_points_per_centroid = 1
        quantizer.train(train)
        reconstructed = quantizer.decode(quantizer.compute_codes(test))
        np.save(os.path.join(folder, f"reconstructed_{number}.npy"), reconstructed)
        seconds.append(time.monotonic() - begin)
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as file:
        json.dump(seconds, file)


if __name__ == "__main__":
    main(sys.argv[1])
