"""From drafts to nodes: what primitives mean, found once for every framework."""

from fanin.graph.simplify.run import simplify as simplify
