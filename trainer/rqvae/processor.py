"""Features of this machine's processor."""

import functools
import os
from pathlib import Path

import tensorflow as tf

_CPUINFO = "/proc/cpuinfo"


@functools.cache
def processor(cpuinfo: str = _CPUINFO) -> tuple[str, frozenset[str]]:
    """Name and instruction sets of the processor, as Linux tells them; empty where it does not."""
    fields: dict[str, str] = {}
    if os.path.exists(cpuinfo):
        for line in Path(cpuinfo).read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    return fields.get("model name", ""), frozenset(fields.get("flags", "").split())


def multiplies_bfloat16() -> bool:
    """Whether TensorFlow multiplies bfloat16 here clearly faster than float32.

    oneDNN does on x86 processors with AMX or AVX-512's bfloat16 instructions. On a GPU float32 is
    fast enough, so a machine that has one counts as one that does not.
    """
    _, flags = processor()
    fast = bool({"amx_bf16", "avx512_bf16"} & flags)
    switched_off = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1").lower() in ("0", "false")
    return fast and not switched_off and not tf.config.list_physical_devices("GPU")
