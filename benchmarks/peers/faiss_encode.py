"""FAISS's residual quantiser (beam 1) encoding with given codebooks, in the peers' environment.

Arguments: a folder with `latents.npy` float32 [N, d] and `codebooks.npy` float32 [L, K, d], and the
number of threads. Writes `faiss_codes.npy` int32 [N, L].
"""

import os
import sys

import faiss
import numpy as np
from rounds import serve_rounds


def main(folder: str, threads: int) -> None:
    """Encodes once for the codes, then once a round."""
    faiss.omp_set_num_threads(threads)
    latents, codebooks = (
        np.load(os.path.join(folder, f"{name}.npy")) for name in ("latents", "codebooks")
    )
    levels, codes, width = codebooks.shape
    bits = codes.bit_length() - 1
    if codes != 1 << bits:
        raise ValueError(f"FAISS needs a power of two of codes, not {codes}")
    quantizer = faiss.ResidualQuantizer(width, levels, bits)
    quantizer.max_beam_size = 1
    faiss.copy_array_to_vector(codebooks.ravel(), quantizer.codebooks)
    quantizer.is_trained = True
    packed = np.unpackbits(quantizer.compute_codes(latents), axis=1, bitorder="little")
    packed = packed[:, : levels * bits].reshape(len(latents), levels, bits).astype(np.int32)
    np.save(os.path.join(folder, "faiss_codes.npy"), packed @ (1 << np.arange(bits)))
    serve_rounds(lambda: quantizer.compute_codes(latents), {"version": faiss.__version__})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
