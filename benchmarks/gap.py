"""How many steps Integrated Gradients take on the sample photographs until their gap is small by itself.

    python -m benchmarks gap

The gap is what is missing between the sum of the attributions and the difference of the two scores, as a
share of that difference (Sundararajan et al., 2017: there should be none).
"""

import sys

from ui.picture_picker import SAMPLES, SAMPLES_FOLDER
from vizcore.methods.integrated import integrated_gradients
from vizcore.networks.load import load_model
from vizcore.pictures.images import read_picture

WITHIN = 0.05


def main(argv):
    model = load_model("efficientnet_lite0")
    print(f"| {model.title}, its first guess | steps | gap |\n|---|---|---|")
    for title, file in SAMPLES.items():
        images = model.preprocess(read_picture((SAMPLES_FOLDER / file).read_bytes()))
        target = int(model.net(images)[0].argmax())
        *_, last = integrated_gradients(model, images, target, within=WITHIN)
        print(f"| {title}: {model.label(target)} | {last.steps} | {last.share:.1%} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
