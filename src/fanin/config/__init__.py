"""What a project says once: [tool.fanin] in pyproject.toml, or fanin.toml."""

from fanin.config.read import nearest as nearest
from fanin.config.read import read as read
from fanin.config.settings import Settings as Settings
from fanin.config.settings import settings_of as settings_of
