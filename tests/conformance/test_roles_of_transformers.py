"""Roles read off the Graph are those that the papers give the parameters.

The models' own names say which parameter is which; fanin does not look at them.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

import pytest

from benchmarks.models import transformers as models
from benchmarks.models.family import LAYERS
from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.graph.roles import RoleKind, roles
from fanin.graph.roles.coverage import coverage

K = RoleKind
SEPARATE = {
    "*.q_proj.weight": K.QUERY,
    "*.k_proj.weight": K.KEY,
    "*.v_proj.weight": K.VALUE,
}
GATED = {
    **SEPARATE,
    "*.o_proj.weight": K.ATTENTION_OUTPUT,
    "*.gate_proj.weight": K.GATE,
    "*.up_proj.weight": K.UP,
    "*.down_proj.weight": K.DOWN,
    "*norm*.weight": K.NORM_GAIN,
}
NAMED = {
    "*.query.weight": K.QUERY,
    "*.key.weight": K.KEY,
    "*.value.weight": K.VALUE,
    "*.attention.output.dense.weight": K.ATTENTION_OUTPUT,
}
WRITTEN_OUT = {
    **SEPARATE,
    "*.out_proj.weight": K.ATTENTION_OUTPUT,
    "*.fc1.weight": K.HIDDEN,
    "*.fc2.weight": K.BRANCH_END,
}
FUSED = {
    "*.query_key_value.weight": K.QKV,
    "*.dense.weight": K.ATTENTION_OUTPUT,
    "*.dense_h_to_4h.weight": K.HIDDEN,
    "*.dense_4h_to_h.weight": K.BRANCH_END,
}
EXPERTS = {
    **SEPARATE,
    "*.o_proj.weight": K.ATTENTION_OUTPUT,
    "*.mlp.gate.weight": K.ROUTER,
    "*.experts.gate_up_proj": K.GATE_UP,
    "*.experts.down_proj": K.DOWN,
}
PUBLISHED = {
    "gpt2": {
        "*.wte.weight": K.TIED_EMBEDDING,
        "*.wpe.weight": K.POSITION_TABLE,
        "*.c_attn.weight": K.QKV,
        "*.attn.c_proj.weight": K.ATTENTION_OUTPUT,
        "*.c_fc.weight": K.HIDDEN,
        "*.mlp.c_proj.weight": K.BRANCH_END,
    },
    "llama": {**GATED, "lm_head.weight": K.HEAD, "*.embed_tokens.weight": K.EMBEDDING},
    "mistral": GATED,
    "qwen2": GATED,
    "qwen3": GATED,
    "gemma": {**GATED, "*.embed_tokens.weight": K.TIED_EMBEDDING},
    "gemma2": GATED,
    "gemma3": GATED,
    "mixtral": EXPERTS,
    "qwen2_moe": {**EXPERTS, "*.shared_expert_gate.weight": K.GATE},
    "bert": {
        **NAMED,
        "*.word_embeddings.weight": K.TIED_EMBEDDING,
        "*.position_embeddings.weight": K.POSITION_TABLE,
        "*.token_type_embeddings.weight": K.EMBEDDING,
        "cls.predictions.bias": K.HEAD_BIAS,
        "*.intermediate.dense.weight": K.HIDDEN,
    },
    "roberta": NAMED,
    "albert": {
        "*.query.weight": K.QUERY,
        "*.attention.dense.weight": K.ATTENTION_OUTPUT,
        "*.ffn_output.weight": K.BRANCH_END,
    },
    "t5": {
        "shared.weight": K.TIED_EMBEDDING,
        "*.q.weight": K.QUERY,
        "*.k.weight": K.KEY,
        "*.v.weight": K.VALUE,
        "*.o.weight": K.ATTENTION_OUTPUT,
        "*.wi.weight": K.HIDDEN,
        "*.wo.weight": K.BRANCH_END,
        "*.relative_attention_bias.weight": K.POSITION_BIAS,
    },
    "vit": {
        "*.cls_token": K.CLASS_VECTOR,
        "*.position_embeddings": K.POSITION_TABLE,
        "*.projection.weight": K.INPUT_LAYER,
        "classifier.weight": K.HEAD,
    },
    "swin": {**SEPARATE, "*.relative_position_bias_table": K.POSITION_BIAS},
    "convnext": {
        "*.layer_scale_parameter": K.LAYER_SCALE,
        "*.pwconv2.weight": K.BRANCH_END,
    },
    "whisper": {**WRITTEN_OUT, "*.embed_positions.weight": K.POSITION_TABLE},
    "bart": WRITTEN_OUT,
    "opt": WRITTEN_OUT,
    "clip": {**WRITTEN_OUT, "logit_scale": K.LOGIT_SCALE},
    "gpt_neox": FUSED,
    "falcon": FUSED,
    "bloom": FUSED,
    "phi": {
        **SEPARATE,
        "*.dense.weight": K.ATTENTION_OUTPUT,
        "*.fc2.weight": K.BRANCH_END,
    },
    "phi3": {"*.qkv_proj.weight": K.QKV, "*.gate_up_proj.weight": K.GATE_UP},
    "mamba": {
        "*.A_log": K.STATE_MATRIX,
        "*.D": K.SKIP,
        "*.dt_proj.*": K.STEP_SIZE,
        "*.out_proj.weight": K.BRANCH_END,
    },
    "mamba2": {
        "*.A_log": K.STATE_MATRIX,
        "*.D": K.SKIP,
        "*.dt_bias": K.STEP_SIZE,
        "*.out_proj.weight": K.BRANCH_END,
    },
    "deit": {"*_token": K.CLASS_VECTOR},
    "dinov2": {"*.cls_token": K.CLASS_VECTOR, "*.lambda1": K.LAYER_SCALE},
    "wav2vec2": {
        **SEPARATE,
        "*.out_proj.weight": K.ATTENTION_OUTPUT,
        "*.intermediate_dense.weight": K.HIDDEN,
        "*.output_dense.weight": K.BRANCH_END,
        "*.masked_spec_embed": K.MASK_VECTOR,
    },
    "xlnet": {
        "*.q": K.QUERY,
        "*.k": K.KEY,
        "*.v": K.VALUE,
        "*.r": K.KEY,
        "*.r_?_bias": K.BIAS,
    },
    "rwkv": {"*.time_decay": K.STATE_MATRIX, "*.receptance.weight": K.GATE},
}
# Branches of every stream of residual sums: attention and MLP in a layer, and the
# attention to the encoder in a decoder's; one in a layer of a state-space model.
STREAMS = {
    **dict.fromkeys(
        ("gpt2", "llama", "mistral", "qwen2", "gemma2"), frozenset({2 * LAYERS})
    ),
    **dict.fromkeys(
        ("bert", "roberta", "albert", "opt", "vit"), frozenset({2 * LAYERS})
    ),
    **dict.fromkeys(
        ("gpt_neox", "phi", "falcon", "bloom", "mixtral"), frozenset({2 * LAYERS})
    ),
    **dict.fromkeys(("t5", "whisper", "bart"), frozenset({2 * LAYERS, 3 * LAYERS})),
    **dict.fromkeys(("mamba", "mamba2"), frozenset({LAYERS})),
    "qwen2_moe": {3 * LAYERS},  # the expert that all tokens share is a branch too
}
EVERYDAY = {"gpt2", "llama", "bert", "t5", "vit"}


def marked(names):
    return [
        pytest.param(name, marks=() if name in EVERYDAY else pytest.mark.slow)
        for name in names
    ]


@cache
def graph_of(name):
    model, batch = models.zoo()[name]()
    return framework.record(model, Task(batch=batch))


@cache
def found_in(name):
    return roles(graph_of(name))


@pytest.mark.parametrize("name", marked(models.zoo()))
def test_the_role_of_all_but_a_hundredth_is_known(name):
    found = coverage(graph_of(name))

    assert found.by_count >= 0.99, found.unknown
    assert found.by_size >= 0.99, found.unknown


@pytest.mark.parametrize("name", marked(PUBLISHED))
def test_every_parameter_has_the_role_that_its_paper_gives_it(name):
    found = found_in(name)
    expected = {
        path: kind
        for pattern, kind in PUBLISHED[name].items()
        for path, role in found.items()
        if fnmatchcase(path, pattern) and role.kind is not K.UNREAD
    }

    assert {path: found[path].kind for path in expected} == expected


@pytest.mark.parametrize("name", marked(PUBLISHED))
def test_every_pattern_of_the_table_fits_a_parameter(name):
    unused = [
        pattern
        for pattern in PUBLISHED[name]
        if not any(fnmatchcase(path, pattern) for path in found_in(name))
    ]

    assert not unused


@pytest.mark.parametrize("name", marked(STREAMS))
def test_the_branches_of_each_stream_are_as_many_as_the_layers_have(name):
    n_branches = {
        role.n_branches
        for role in found_in(name).values()
        if role.n_branches and role.kind is not K.NORM_GAIN
    }

    assert n_branches == STREAMS[name]
