"""The experiments behind the presets: short runs that differ in one thing, and what each reached.

Every variant is a train command of its own. What is compared is the validation loss of the same number of epochs;
the test images are not looked at. Runs are seeded; what another seed
alone makes of it is a variant of its own, and smaller differences mean nothing.
"""

import argparse
import time
from dataclasses import dataclass

import torch

from vae_core.cli.options import model_config, parse
from vae_core.datasets.labelled import LabelledImages
from vae_core.datasets.parts import load_parts
from vae_core.evaluation.disentanglement import factor_entropies, mutual_information
from vae_core.evaluation.factor_scores import mutual_information_gaps
from vae_core.evaluation.quality import psnr
from vae_core.evaluation.report import encode
from vae_core.models.config import need_training
from vae_core.models.objective import EVALUATION_BATCH
from vae_core.models.vae import VAE
from vae_core.training.trainer import Trainer

THREADS = 1  # as many variants as cores side by side train more images than one with all cores


@dataclass(frozen=True)
class Question:
    """One thing that was tried.

    Attributes:
        name: For `--only`.
        title: What is asked.
        common: Options of every variant.
        variants: What each is called, and the options in which it differs.
    """

    name: str
    title: str
    common: str
    variants: dict[str, str]


PLANE = "--dataset mnist --latent-dim 2 --epochs 5 --learning-rate 1e-3 --ema-decay 0.999 --precision bfloat16"
BINARY = "--dataset mnist --latent-dim 32 --binarise dynamic --epochs 3 --precision bfloat16"
FACES = "--dataset faces --latent-dim 128 --widths 16,32,64,128 --batch-size 128 --learning-rate 1e-3 --epochs 2"
SPRITES = (
    "--dataset dsprites --latent-dim 10 --widths 16,32,32,64 --blocks 0 --batch-size 64 --learning-rate 1e-3 "
    "--epochs 8 --ema-decay 0.999 --precision bfloat16"
)
FALLING = "--beta 2 --kl-start 100 --kl-warmup-epochs 5"

QUESTIONS = (
    Question(
        name="plane",
        title="Two dimensions: what decodes a plane best?",
        common=PLANE,
        variants={
            "conv 32, 64": "",
            "mlp, 2 layers of 512": "--architecture mlp --widths 512,512",
            "mlp, 3 layers of 512": "--architecture mlp --widths 512,512,512",
            "mlp, 4 layers of 512": "--architecture mlp --widths 512,512,512,512",
            "mlp, 5 layers of 512": "--architecture mlp --widths 512,512,512,512,512",
        },
    ),
    Question(
        name="binary",
        title="Binarised digits in 32 dimensions: network, step size, averaging, warm-up",
        common=BINARY,
        variants={
            "conv 16, 64, averaged weights": "--widths 16,64 --ema-decay 0.999",
            "... another seed": "--widths 16,64 --ema-decay 0.999 --seed 1",
            "... without averaging": "--widths 16,64",
            "... KL warm-up over 1 epoch": "--widths 16,64 --ema-decay 0.999 --kl-warmup-epochs 1",
            "... batches of 128": "--widths 16,64 --ema-decay 0.999 --batch-size 128",
            "... step size 0.004": "--widths 16,64 --ema-decay 0.999 --learning-rate 4e-3",
            "... step size 0.001": "--widths 16,64 --ema-decay 0.999 --learning-rate 1e-3",
            "... two blocks a resolution": "--widths 16,64 --ema-decay 0.999 --blocks 2",
            "... in float32": "--widths 16,64 --ema-decay 0.999 --precision float32",
            "conv 32, 64, averaged weights": "--widths 32,64 --ema-decay 0.999",
            "mlp 512, 512, averaged weights": "--architecture mlp --widths 512,512 --ema-decay 0.999",
        },
    ),
    Question(
        name="faces",
        title="Faces in 128 dimensions: calibrated Gaussian, with and without a linear path",
        common=f"{FACES} --likelihood gaussian --ema-decay 0.999 --precision bfloat16",
        variants={
            "network alone": "",
            "with a linear path started from PCA": "--linear-path",
            "... and mirrored pictures": "--linear-path --augment flip",
        },
    ),
    Question(
        name="sprites",
        title="Sprites in 10 dimensions: what keeps their factors apart?",
        common=SPRITES,
        variants={
            "beta 4": "--beta 4",
            "total correlation weighted 6 times": "--tc-beta 6",
            "KL weight from 200 to 2 by equal factors": FALLING,
            "... and a decoder with a place": f"{FALLING} --decoder spatial",
        },
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Short runs that differ in one thing each.")
    parser.add_argument("--only", nargs="+", choices=[question.name for question in QUESTIONS], help="which questions")
    wanted = parser.parse_args().only
    torch.set_num_threads(THREADS)
    for question in QUESTIONS:
        if wanted is None or question.name in wanted:
            answer(question)


def answer(question: Question) -> None:
    """Run a question's variants and print their table, line by line."""
    print(f"### {question.title}\n\n    python -m benchmarks.recipes --only {question.name}\n")
    print(f"Common to all: `{question.common}`.\n")
    print("| variant | validation, nats | reconstruction | KL | PSNR, dB | MIG | minutes |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, options in question.variants.items():
        print(f"| {name} | {run(f'{question.common} {options}')} |", flush=True)
    print()


def run(options: str) -> str:
    """Train one variant and return its row's figures."""
    config = model_config(parse(["train", "--name", "variant", *options.split()]))
    parts = load_parts(need_training(config).dataset, image_shape=config.image_shape, preparation=config.preparation)
    validation = parts.validation
    trainer = Trainer(config, parts.train.images, validation.images)
    started = time.perf_counter()
    validated = [progress.validation for progress in trainer.run() if progress.validation is not None]
    minutes = (time.perf_counter() - started) / 60
    best = min(validated, key=lambda figures: figures.loss)  # whose weights are kept
    model = trainer.best_model()
    nats = f"{best.loss:.2f} | {best.reconstruction:.2f} | {best.kl:.2f}"
    return f"{nats} | {reconstruction_psnr(model, validation.images):.2f} | {gap(model, validation)} | {minutes:.1f}"


def gap(model: VAE, part: LabelledImages) -> str:
    """The mutual information gap, where factors are known."""
    if part.factors is None:
        return ""
    codes = encode(model, part, need_training(model.config)).mean.numpy()
    information = mutual_information(codes, part.factors.values)
    return f"{mutual_information_gaps(information, factor_entropies(part.factors.values)).mean():.3f}"


@torch.inference_mode()
def reconstruction_psnr(model: VAE, images: torch.Tensor) -> float:
    """Mean over images, in dB, of what the model makes of grey pixels."""
    batches = [batch.float() / 255 for batch in images.split(EVALUATION_BATCH)]
    return float(torch.cat([psnr(batch, model(batch)) for batch in batches]).mean())


if __name__ == "__main__":
    main()
