"""The same net, start, samples and steps as a script of PyTorch, Keras or JAX."""

from fanin.lab.lessons.code.job import Job as Job
from fanin.lab.lessons.code.tabs import code_tabs as code_tabs
