"""Places: which line of somebody's code built a layer. Code is read, never run."""

from fanin.places.find import Places as Places
from fanin.places.find import places_of as places_of
from fanin.places.ignored import Ignored as Ignored
from fanin.places.origin import Origin as Origin
from fanin.places.origin import callers as callers
