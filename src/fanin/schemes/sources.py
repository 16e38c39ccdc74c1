"""The publications behind the schemes."""

from __future__ import annotations

from typing import Final

from fanin.schemes.scheme import Source

RUMELHART_1986: Final = Source(
    authors="Rumelhart, Hinton & Williams",
    year=1986,
    title="Learning Internal Representations by Error Propagation",
    url="https://apps.dtic.mil/sti/citations/ADA164453",
    equation='section "Symmetry breaking"',
)

KRIZHEVSKY_2012: Final = Source(
    authors="Krizhevsky, Sutskever & Hinton",
    year=2012,
    title="ImageNet Classification with Deep Convolutional Neural Networks",
    url="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
    equation="section 5",
)

DEVLIN_2018: Final = Source(
    authors="Devlin, Chang, Lee & Toutanova",
    year=2018,
    title="BERT: Pre-training of Deep Bidirectional Transformers",
    url="https://github.com/google-research/bert",
    equation="modeling.py, create_initializer",
)

LECUN_1998: Final = Source(
    authors="LeCun, Bottou, Orr & Müller",
    year=1998,
    title="Efficient BackProp",
    url="http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf",
    equation="section 4.6",
)

GLOROT_2010: Final = Source(
    authors="Glorot & Bengio",
    year=2010,
    title="Understanding the difficulty of training deep feedforward neural networks",
    url="https://proceedings.mlr.press/v9/glorot10a.html",
    equation="equations 12 and 16",
)

HE_2015: Final = Source(
    authors="He, Zhang, Ren & Sun",
    year=2015,
    title="Delving Deep into Rectifiers",
    url="https://arxiv.org/abs/1502.01852",
    equation="equations 10 and 14",
)

SAXE_2013: Final = Source(
    authors="Saxe, McClelland & Ganguli",
    year=2013,
    title="Exact solutions to the nonlinear dynamics of learning in deep linear "
    "neural networks",
    url="https://arxiv.org/abs/1312.6120",
)

XIAO_2018: Final = Source(
    authors="Xiao, Bahri, Sohl-Dickstein, Schoenholz & Pennington",
    year=2018,
    title="Dynamical Isometry and a Mean Field Theory of CNNs",
    url="https://arxiv.org/abs/1806.05393",
    equation="section 2.4",
)

MEZZADRI_2007: Final = Source(
    authors="Mezzadri",
    year=2007,
    title="How to generate random matrices from the classical compact groups",
    url="https://arxiv.org/abs/math-ph/0609050",
)

LE_2015: Final = Source(
    authors="Le, Jaitly & Hinton",
    year=2015,
    title="A Simple Way to Initialize Recurrent Networks of Rectified Linear Units",
    url="https://arxiv.org/abs/1504.00941",
)
