"""vector-quantize-pytorch's ResidualVQ encoding with given codebooks, in the peers' environment.

Arguments: a folder with `latents.npy` float32 [N, d] and `codebooks.npy` float32 [L, K, d], and the
number of threads. Writes `rvq_codes.npy` int64 [N, L].
"""

import os
import sys
from importlib.metadata import version

import numpy as np
import torch
from rounds import serve_rounds
from vector_quantize_pytorch import ResidualVQ

# Rows at a time: the distances of all rows at once would take 330 MB a level.
_BATCH = 4096


def main(folder: str, threads: int) -> None:
    """Encodes once for the codes, then once a round."""
    torch.set_num_threads(threads)
    latents, codebooks = (
        torch.from_numpy(np.load(os.path.join(folder, f"{name}.npy")))
        for name in ("latents", "codebooks")
    )
    levels, codes, width = codebooks.shape
    quantizer = ResidualVQ(dim=width, codebook_size=codes, num_quantizers=levels).eval()
    for layer, codebook in zip(quantizer.layers, codebooks, strict=True):
        layer._codebook.embed.data.copy_(codebook[None])

    @torch.inference_mode()
    def encode() -> torch.Tensor:
        return torch.cat([quantizer(batch)[1] for batch in latents.split(_BATCH)])

    np.save(os.path.join(folder, "rvq_codes.npy"), encode().numpy())
    serve_rounds(encode, {"version": version("vector-quantize-pytorch")})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
