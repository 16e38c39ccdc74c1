"""Seed checkpoints: a plan's numbers straight to disk, tensor by tensor.

The model is never in memory: a Plan says what each number is, so the files of a
checkpoint can be written piece by piece. What is written is `safetensors` in shards,
with the index that `transformers` and others read.
"""

from fanin.checkpoints.contents import Contents as Contents
from fanin.checkpoints.contents import contents_of as contents_of
from fanin.checkpoints.layout import Entry as Entry
from fanin.checkpoints.layout import Shard as Shard
from fanin.checkpoints.layout import shards_of as shards_of
from fanin.checkpoints.writing import Checkpoint as Checkpoint
from fanin.checkpoints.writing import outline as outline
from fanin.checkpoints.writing import write as write
