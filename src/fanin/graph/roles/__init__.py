"""Roles: what each parameter is for, read off the Graph and never off its name."""

from fanin.graph.flow import next_activation as next_activation
from fanin.graph.roles.find import roles as roles
from fanin.graph.roles.kinds import Role as Role
from fanin.graph.roles.kinds import RoleKind as RoleKind
from fanin.graph.roles.kinds import RoleSlice as RoleSlice
from fanin.graph.roles.setting import head_nodes as head_nodes
