"""True faults in published models' own initial weights, with the evidence for each."""

from __future__ import annotations

GAIN = (
    "True: `_init_weights` of transformers 5.23 draws the gain of every BatchNorm from "
    "N(0, 0.02²) over the ones that BatchNorm2d starts with ({file}), so that each "
    "normalization multiplies its signal by 0.015"
)
HOT = (
    "True: at the sizes of the default config the first loss is {loss}, and guessing "
    "costs {guess} (outputs of standard deviation {std})"
)
PLAIN = (
    "True: a plain net of 10 layers or more with PyTorch's default weights; the table "
    "of plain nets shows that such nets do not train (Schoenholz et al. 2017: signals "
    "reach 6 ξ layers, here {reach})"
)
SMALL_HEAD = (
    "True as it is built here: Glorot for 10 outputs, and so small an image that the "
    "mean over positions evens nothing out; at 128 × 128 and 1,000 classes the first "
    "loss is {loss}, and guessing costs 6.9"
)
CLONED = (
    "True: `nn.TransformerEncoder` copies its layer, so that all layers start with the "
    "same numbers (pytorch/pytorch#86274)"
)
DEPTH_CODES = ("FAN201", "FAN202", "FAN301", "FAN302", "FAN303", "FAN701")


def _plain(reach: str) -> dict[str, str]:
    return dict.fromkeys(DEPTH_CODES, PLAIN.format(reach=reach))


KNOWN: dict[str, dict[str, str]] = {
    "mamba": {"FAN501": HOT.format(loss="15.5", guess="10.8", std="2.8")},
    "t5": {"FAN501": HOT.format(loss="11.6", guess="10.4", std="1.05")},
    "efficientnet": dict.fromkeys(
        ("FAN302", "FAN602"), GAIN.format(file="modeling_efficientnet.py:443")
    ),
    "mobilevit": dict.fromkeys(
        ("FAN302", "FAN602"), GAIN.format(file="modeling_mobilevit.py:603")
    ),
    "keras: resnet": {"FAN501": SMALL_HEAD.format(loss="8.2")},
    "keras: efficientnet": {"FAN501": SMALL_HEAD.format(loss="6.8")},
    "keras: efficientnet_v2": {"FAN501": SMALL_HEAD.format(loss="7.0")},
    "keras: inception_resnet": {"FAN501": SMALL_HEAD.format(loss="7.5")},
    "keras: vgg": {
        "FAN701": "True: Glorot before ReLU halves the square layer by layer, and "
        "nothing normalizes; its authors began from a trained net of fewer layers for "
        "that reason (Simonyan & Zisserman 2015, section 3.1)"
    },
    "mlp relu 10": _plain("3.3"),
    "mlp relu 50": _plain("3.4"),
    "mlp tanh 10": _plain("5.2"),
    "mlp tanh 50": _plain("5.4"),
    "mlp gelu 10": _plain("2.5"),
    "mlp gelu 50": _plain("2.4"),
    "mlp silu 10": _plain("2.4"),
    "mlp silu 50": _plain("2.4"),
    "mlp sigmoid 10": _plain("1.5"),
    "mlp prelu 10": _plain("3.4"),
    "mlp selu 30": _plain("12"),
    "cnn relu 10": _plain("3.3"),
    "cnn tanh 10": _plain("5.2"),
    "transformer pre-norm": {"FAN803": CLONED},
    "transformer post-norm": {"FAN803": CLONED},
    "transformer tied": {
        "FAN501": "True: `nn.Embedding` draws N(0, 1), and the table is the head as "
        "well: the first loss is 55, and guessing costs 4.6"
    },
    "other bilinear": {
        "FAN501": "True as a classifier: `nn.Bilinear` draws by the first input alone, "
        "while 32·48 products enter each output: outputs of standard deviation 3.8"
    },
    "recurrent lstm, two ways": {
        "FAN106": "True: the model reads the last step, where the way back has seen "
        "one word and its recurrent weight has met zeros alone; it can never move"
    },
}
"""By model and code, why an alarm is no false one."""
