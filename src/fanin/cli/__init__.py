"""The verbs as commands: ``fanin explain | check | plan | init | compare | …``."""

from fanin.cli.main import main as main
